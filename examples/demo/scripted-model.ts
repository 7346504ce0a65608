import { MockLanguageModelV3 } from 'ai/test';

/** A call that the model asks for, by the tool's name. */
export interface Ask {
  readonly tool: string;
  readonly input: Readonly<Record<string, string>>;
}

/**
 * A language model that needs no key and no network: it asks for the tools of one turn after another, then answers.
 * All tools of a turn are asked for in one message, as real models do, and so the agent runs them side by side.
 */
export function scriptedModel(turns: readonly (readonly Ask[])[], answer: string): MockLanguageModelV3 {
  let turn = 0;
  return new MockLanguageModelV3({
    modelId: 'scripted',
    doGenerate: async () => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      const asks = turns[turn++] ?? [];
      const calls = asks.map(({ tool, input }, index) => ({
        type: 'tool-call' as const,
        toolCallId: `call-${turn}-${index}`,
        toolName: tool,
        input: JSON.stringify(input),
      }));
      return {
        content: calls.length > 0 ? calls : [{ type: 'text', text: answer }],
        finishReason: { unified: calls.length > 0 ? 'tool-calls' : 'stop', raw: undefined },
        usage: {
          inputTokens: { total: 120, noCache: 120, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 24, text: 24, reasoning: 0 },
        },
        warnings: [],
      };
    },
  });
}
