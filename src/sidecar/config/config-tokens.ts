import type { ConfigDraft, Contradiction } from './config-draft.ts';

/** Tokens that stand for one tenant here and for another there: whose plans their bearer gets would be chance. */
export function* tokenContradictions(draft: ConfigDraft): Iterable<Contradiction> {
  const { http, grpc } = draft?.receivers?.otlp?.protocols ?? {};
  const tenants = new Map<string, { readonly tenant: string | undefined; readonly place: string }>();
  for (const [path, listener] of [
    [['receivers', 'otlp', 'protocols', 'http'], http],
    [['receivers', 'otlp', 'protocols', 'grpc'], grpc],
    [['extensions', 'admin'], draft?.extensions?.admin],
  ] as const) {
    const tokens: unknown = listener?.auth?.tokens;
    if (!Array.isArray(tokens)) continue;
    for (const [index, entry] of tokens.entries()) {
      const { token, tenant } = (entry ?? {}) as Readonly<Record<string, string | undefined>>;
      if (token === undefined) continue;
      const place = [...path, 'auth', 'tokens', index, 'token'];
      const known = tenants.get(token);
      if (known === undefined) tenants.set(token, { tenant, place: place.join('.') });
      else if (known.tenant !== tenant) {
        yield {
          path: place,
          message: `expected a token of its own for each tenant; ${known.place} is the same`,
        };
      }
    }
  }
}
