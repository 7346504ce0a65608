import type { RunChange } from './plan-store.ts';

/** The changes of one agent: at most one batch of them is in flight. */
export interface Lane<Token> {
  readonly agentId: string;
  /** By run id, oldest first. */
  readonly waiting: Map<string, Item<Token>>;
  busy: boolean;
  failures: number;
  /** The last write found a plan that cannot be read. */
  isCorrupt: boolean;
  /** Set while the lane waits for its next try. */
  timer: NodeJS.Timeout | undefined;
}

/** Whether the lane waits for someone to repair its plan. */
export function isStuck(lane: Lane<unknown>): boolean {
  return lane.isCorrupt && lane.timer !== undefined;
}

/** One run that is to be written, with all changes that its latest revision stands for. */
export interface Item<Token> {
  readonly lane: Lane<Token>;
  change: RunChange;
  readonly entries: Entry<Token>[];
  bytes: number;
  readonly sequence: number;
  inFlight: boolean;
}

export interface Entry<Token> {
  readonly change: RunChange;
  readonly token: Token;
}

export interface Outage {
  readonly failures: number;
  /** Set while all lanes wait; without it one of them is trying the store. */
  timer: NodeJS.Timeout | undefined;
}
