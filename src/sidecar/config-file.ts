import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import type { ConfigMistake } from './config-error.ts';

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
  /** What is wrong with the text as YAML, or with the variables it names. */
  readonly mistakes: readonly ConfigMistake[];
  /** What the file says; undefined where it is empty or cannot be read. */
  readonly values: unknown;

  constructor(name: string, text: string, env: Environment) {
    this.#name = name;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, merge: true });
    const mistakes: ConfigMistake[] = [...this.#document.errors, ...this.#document.warnings].map((error) => ({
      place: this.#at(error.pos[0]),
      path: '',
      message: sentenceOf(error.code),
    }));
    mistakes.push(...this.#fillIn(env));
    this.values = mistakes.length > 0 ? undefined : this.#plainValues(mistakes);
    this.mistakes = mistakes;
  }

  /** Where the value of a path stands, or what is nearest to it. `key`: where that key of it stands. */
  place(path: ConfigPath, key?: string): string {
    const keys = path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    for (let length = keys.length; length >= 0; length--) {
      const parent =
        length === 0 ? this.#document.contents : this.#document.getIn(keys.slice(0, length), true);
      if (!isNode(parent)) continue;
      const offset = (length === keys.length ? keyOffset(parent, key) : undefined) ?? parent.range?.[0];
      if (offset !== undefined) return this.#at(offset);
    }
    return this.#at(0);
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }

  /** Puts values of the environment in place of their names. What comes out is text, whatever it looks like. */
  *#fillIn(env: Environment): Iterable<ConfigMistake> {
    const scalars: Scalar[] = [];
    visit(this.#document, {
      Scalar(key, node) {
        if (key !== 'key' && typeof node.value === 'string' && node.value.includes('$')) scalars.push(node);
      },
    });
    for (const scalar of scalars) {
      let fault: string | undefined;
      scalar.value = String(scalar.value).replace(VARIABLE, (text, name?: string, fallback?: string) => {
        if (text === '$$') return '$';
        const value = name === undefined ? undefined : env[name] || fallback;
        if (value !== undefined) return value;
        fault =
          name === undefined
            ? `expected \${env:NAME} or \${env:NAME:-DEFAULT}; a dollar sign itself is written $$`
            : `expected the environment variable ${name} to be set; \${env:${name}:-DEFAULT} gives it a default`;
        return '';
      });
      if (fault !== undefined) yield { place: this.#at(scalar.range?.[0] ?? 0), path: '', message: fault };
    }
  }

  #plainValues(mistakes: ConfigMistake[]): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch {
      mistakes.push({
        place: this.#at(0),
        path: '',
        message: 'expected fewer aliases, each of an anchor before it',
      });
      return undefined;
    }
  }
}

const VARIABLE = /\$\$|\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?/g;
const MAX_ALIASES = 100;

/** Where a key stands in a map. */
function keyOffset(parent: Node, key: string | undefined): number | undefined {
  if (key === undefined || !isMap(parent)) return undefined;
  const pair = parent.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key,
  );
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

/** The library's own messages quote the text, in which a secret may stand. */
function sentenceOf(code: string): string {
  return YAML_FAULTS[code] ?? `expected YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
}

const YAML_FAULTS: Readonly<Record<string, string>> = {
  BAD_INDENT: 'expected YAML: the indentation is not that of the lines around, or a bracket is missing',
  BLOCK_AS_IMPLICIT_KEY: 'expected YAML: a nested key does not begin a line of its own',
  DUPLICATE_KEY: 'expected each key once; this one stands there twice',
  MISSING_CHAR: 'expected YAML: a colon, quote or bracket is missing',
  MULTILINE_IMPLICIT_KEY: 'expected YAML: a colon is missing at the end of this key',
  MULTIPLE_DOCS: 'expected one YAML document',
  TAB_AS_INDENT: 'expected spaces, not tabs, at the beginning of a line',
  TAG_RESOLVE_FAILED: 'expected a value without a tag',
  UNEXPECTED_TOKEN: 'expected YAML: something else stands here',
};
