import { UNRECOGNISED } from '../model/shared-verdict.ts';
import type { Recognised, Verdict } from '../model/verdict.ts';

/** Where a verdict is put that was made or found, for one span after another. */
export class Recognition implements Recognised {
  verdict: Verdict = UNRECOGNISED;
  callId: string | undefined;

  put(verdict: Verdict, callId = verdict.callId): void {
    this.verdict = verdict;
    this.callId = callId;
  }

  /** The verdict with the call's id in it. */
  get whole(): Verdict {
    const { verdict, callId } = this;
    return verdict.callId === callId ? verdict : { ...verdict, callId };
  }
}
