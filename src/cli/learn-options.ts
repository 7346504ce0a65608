import type { StoreChoice } from './with-store.ts';

/** What can be said to `spanplan learn`, read and checked. */
export interface LearnOptions extends StoreChoice {
  readonly input: 'spans' | 'runs';
  readonly cohorts?: 'every' | 'maximal';
  readonly maxGroups?: number;
  /** Milliseconds. */
  readonly minOverlap?: number;
  readonly run?: 'agent' | 'trace';
  readonly agent?: string;
  readonly json?: boolean;
  readonly explain?: boolean;
}
