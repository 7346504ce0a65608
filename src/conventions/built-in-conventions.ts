import { agentops } from './agentops.ts';
import { aiSdk } from './ai-sdk.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import type { Convention } from './convention.ts';
import { dify } from './dify.ts';
import { drops } from './drops.ts';
import { flue } from './flue.ts';
import { genAi } from './gen-ai.ts';
import { genkit } from './genkit.ts';
import { googleAdk } from './google-adk.ts';
import { haystack } from './haystack.ts';
import { laminar } from './laminar.ts';
import { langfuse } from './langfuse.ts';
import { langsmith } from './langsmith.ts';
import { livekit } from './livekit.ts';
import { logfire } from './logfire.ts';
import { mastra } from './mastra.ts';
import { mcp } from './mcp.ts';
import { mlflow } from './mlflow.ts';
import { modelAttribute } from './model-attribute.ts';
import { n8n } from './n8n.ts';
import { nat } from './nat.ts';
import { nemo } from './nemo.ts';
import { openInference } from './openinference.ts';
import { pydanticAi } from './pydantic-ai.ts';
import { spanName } from './span-name.ts';
import { toolAttribute } from './tool-attribute.ts';
import { traceloop } from './traceloop.ts';
import { voltagent } from './voltagent.ts';

/**
 * Every convention spanplan knows, in order of precedence: what a vendor says of its own spans goes before the
 * standards, a standard before what was derived from it, and signs that may mean anything come last.
 */
export const BUILT_IN_CONVENTIONS: readonly Convention[] = [
  drops,
  nemo,
  claudeCode,
  genkit,
  mastra,
  genAi,
  mcp,
  aiSdk,
  openInference,
  traceloop,
  langsmith,
  langfuse,
  laminar,
  agentops,
  nat,
  dify,
  mlflow,
  livekit,
  haystack,
  voltagent,
  flue,
  codex,
  pydanticAi,
  googleAdk,
  logfire,
  toolAttribute,
  // from here on weak: these count only in a trace where one of the above matched
  spanName,
  n8n,
  modelAttribute,
];
