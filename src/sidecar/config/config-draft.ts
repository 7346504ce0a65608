import type { z } from 'zod';
import type { sections } from './config-sections.ts';

/** The configuration as far as it is right: what is wrong by itself is undefined, or not what it should be. */
export type ConfigDraft = Draft<z.output<typeof sections>>;

/** Something wrong with a draft that no value alone can tell. */
export interface Contradiction {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

type Draft<T> = T extends readonly (infer Item)[]
  ? readonly Draft<Item>[] | undefined
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> | undefined } | undefined
    : T | undefined;
