import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from 'yaml';
import type { ConfigMistake } from './config-error.ts';
import { fillIn, UNKNOWN } from './config-variables.ts';

type Environment = Readonly<Record<string, string | undefined>>;
export type ConfigPath = readonly PropertyKey[];

/**
 * A configuration file in YAML: its values with those of the environment filled in, and where each stands.
 *
 *     text → YAML document → ${env:NAME} filled in → plain values, and for any path its line and column
 */
export class ConfigFile {
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;
  /** Up to where the text is YAML. What follows may not mean what it seems to. */
  readonly #soundUntil: number;
  /** What is wrong with the text as YAML, or with the variables it names. */
  readonly mistakes: readonly ConfigMistake[];
  /** What the file says, `UNKNOWN` where that cannot be told; undefined where it is empty or cannot be read. */
  readonly values: unknown;

  constructor(name: string, text: string, env: Environment) {
    this.#name = name;
    // Its warnings are told like its errors, and not to the console.
    const options = { prettyErrors: false, merge: true, logLevel: 'error' } as const;
    this.#document = parseDocument(text, { ...options, lineCounter: this.#lines });
    const { errors, warnings } = this.#document;
    const faults = [...errors, ...warnings];
    this.#soundUntil = Math.min(
      ...faults.filter(({ code }) => !HARMLESS.has(code)).map(({ pos }) => pos[0]),
      Number.POSITIVE_INFINITY,
    );
    const mistakes = faults.map(({ pos: [offset], code }) =>
      // The library takes for the beginning of such a key the end of the line before it.
      this.#mistake(
        code === 'DUPLICATE_KEY' ? text.slice(offset).search(/\S|$/) + offset : offset,
        sentenceOf(code),
      ),
    );
    mistakes.push(...this.#checkKeys(), ...this.#checkAliases(), ...this.#fillIn(env));
    this.values = this.#plainValues(mistakes);
    this.mistakes = mistakes;
  }

  /** Where the value of a path stands, or what is nearest to it. `key`: where that key of it stands. */
  place(path: ConfigPath, key?: string): string {
    for (let length = path.length; length >= 0; length--) {
      const node = this.#nodeAt(path.slice(0, length));
      if (node === undefined) continue;
      const offset = (length === path.length ? keyOf(node, key)?.range?.[0] : undefined) ?? node.range?.[0];
      if (offset !== undefined) return this.#at(offset);
    }
    return this.#at(0);
  }

  /** Whether all of the text is YAML. */
  get isSound(): boolean {
    return this.#soundUntil === Number.POSITIVE_INFINITY;
  }

  /** Whether what stands there is sure to be what was meant, whatever is wrong with the text further down. */
  isSure(path: ConfigPath, key?: string): boolean {
    if (this.isSound) return true;
    const node = this.#nodeAt(path);
    const end = (key === undefined ? node : keyOf(node, key))?.range?.[1];
    return end !== undefined && end <= this.#soundUntil;
  }

  #nodeAt(path: ConfigPath): Node | undefined {
    const node = path.length === 0 ? this.#document.contents : this.#document.getIn(path.map(String), true);
    return isNode(node) ? node : undefined;
  }

  #mistake(offset: number, message: string): ConfigMistake {
    return { place: this.#at(offset), path: '', message };
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }

  /** Takes out what stands under a list, a map or nothing that is known, instead of a word. */
  #checkKeys(): readonly ConfigMistake[] {
    const mistakes: ConfigMistake[] = [];
    visit(this.#document, {
      Pair: (_, { key }) => {
        const meant = isAlias(key) ? key.resolve(this.#document) : key;
        const fault = meant === undefined ? NO_ANCHOR : isCollection(meant) ? NO_WORD : undefined;
        if (fault === undefined || !isNode(key)) return undefined;
        mistakes.push(this.#mistake(key.range?.[0] ?? 0, fault));
        return visit.REMOVE;
      },
    });
    return mistakes;
  }

  #checkAliases(): readonly ConfigMistake[] {
    const mistakes: ConfigMistake[] = [];
    visit(this.#document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.#document) !== undefined) return undefined;
        mistakes.push(this.#mistake(alias.range?.[0] ?? 0, NO_ANCHOR));
        return unknownAt(alias);
      },
    });
    return mistakes;
  }

  /** Puts values of the environment in place of their names. What comes out is text, whatever it looks like. */
  #fillIn(env: Environment): readonly ConfigMistake[] {
    const mistakes: ConfigMistake[] = [];
    visit(this.#document, {
      Scalar: (key, scalar) => {
        if (key === 'key' || typeof scalar.value !== 'string' || !scalar.value.includes('$')) return;
        const filled = fillIn(scalar.value, env);
        if ('fault' in filled) mistakes.push(this.#mistake(scalar.range?.[0] ?? 0, filled.fault));
        scalar.value = 'fault' in filled ? UNKNOWN : filled.value;
      },
    });
    return mistakes;
  }

  #plainValues(mistakes: ConfigMistake[]): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch {
      mistakes.push(this.#mistake(0, `expected at most ${MAX_ALIASES} values by way of aliases`));
      return undefined;
    }
  }
}

const MAX_ALIASES = 100;
const NO_ANCHOR = 'expected the name of an anchor that stands above';
const NO_WORD = 'expected a key that is a word, not a list or a map';

/** Faults that leave no doubt of what the rest of the text says. */
const HARMLESS: ReadonlySet<string> = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED', 'BAD_ALIAS']);

function unknownAt({ range }: Node): Scalar {
  const scalar = new Scalar(UNKNOWN);
  if (range) scalar.range = range;
  return scalar;
}

/** A key of a map; the one without a text is the empty one. */
function keyOf(parent: Node | undefined, key: string | undefined): Scalar | undefined {
  if (key === undefined || !isMap(parent)) return undefined;
  const pair = parent.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value ?? '') === key,
  );
  return isScalar(pair?.key) ? pair.key : undefined;
}

/** The library's own messages quote the text, in which a secret may stand. */
function sentenceOf(code: string): string {
  return YAML_FAULTS.get(code) ?? `expected YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
}

const YAML_FAULTS: ReadonlyMap<string, string> = new Map([
  ['BAD_INDENT', 'expected YAML: the indentation is not that of the lines around, or a bracket is missing'],
  ['BLOCK_AS_IMPLICIT_KEY', 'expected YAML: a nested key does not begin a line of its own'],
  ['DUPLICATE_KEY', 'expected each key once; this one stands there twice'],
  ['MISSING_CHAR', 'expected YAML: a colon, quote or bracket is missing'],
  ['MULTILINE_IMPLICIT_KEY', 'expected YAML: a colon is missing at the end of this key'],
  ['MULTIPLE_DOCS', 'expected one YAML document'],
  ['TAB_AS_INDENT', 'expected spaces, not tabs, at the beginning of a line'],
  ['TAG_RESOLVE_FAILED', 'expected a value without a tag'],
  ['UNEXPECTED_TOKEN', 'expected YAML: something else stands here'],
]);
