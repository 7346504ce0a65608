/** Stands for a value that is not known, since what it is made of is missing; what was to be said of it is said. */
export const UNKNOWN: unique symbol = Symbol('unknown');

/** What became of a text that names variables. */
export type FilledText =
  /** Null where nothing is left of it: then it is as if it were not written. */
  { readonly value: string | null } | { readonly fault: string };

/** Puts the values of variables in place of `${env:NAME}` and `${env:NAME:-DEFAULT}`; `$$` is a dollar sign. */
export function fillIn(text: string, env: Readonly<Record<string, string | undefined>>): FilledText {
  let fault: string | undefined;
  const value = text.replace(VARIABLE, (found, name?: string, fallback?: string) => {
    if (found === '$$') return '$';
    if (name === undefined) {
      fault ??= `expected \${env:NAME} or \${env:NAME:-DEFAULT}; a dollar sign itself is written $$`;
      return '';
    }
    if (fallback?.includes('${')) {
      fault ??= `expected a default without \${: that of the variable ${name} cannot be another variable`;
      return '';
    }
    const known = env[name] || fallback;
    if (known !== undefined) return known;
    fault ??= `expected the environment variable ${name} to be set and not empty; \${env:${name}:-DEFAULT} gives it a default`;
    return '';
  });
  if (fault !== undefined) return { fault };
  return { value: value === '' ? null : value };
}

const VARIABLE = /\$\$|\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?/g;
