import { describe, expect, it } from 'vitest';
import { learn } from '../../src/cli/learn.ts';
import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import { CAPTURE_NAMES, captureFile, trueGroupsOf } from '../support/captures.ts';
import { maximalGroups, sortedGroups } from '../support/maximal-groups.ts';
import { capturedOutputs } from './captured-outputs.ts';

/** `spanplan learn --json` on one recording, in this process. */
async function learnRecording(recording: string): Promise<Record<string, ExecutionPlan>> {
  const outputs = capturedOutputs();
  const options = { input: 'spans', store: 'memory:', json: true } as const;
  expect(await learn([captureFile(recording)], options, outputs, emptyInput())).toBe(0);
  const { plans } = JSON.parse(outputs.stdout) as { plans: Record<string, ExecutionPlan> };
  return plans;
}

async function* emptyInput(): AsyncGenerator<Uint8Array> {}

describe('spanplan learn on a recording of a real agent', () => {
  it.each(CAPTURE_NAMES)(
    '%s: finds the tools that ran at the same time, and no others',
    async (recording) => {
      const plans = await learnRecording(recording);
      const found = new Set(maximalGroups(plans).map(String));
      expect(found).toEqual(new Set(sortedGroups(trueGroupsOf(recording)).map(String)));
    },
  );
});
