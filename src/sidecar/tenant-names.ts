/** A listener as far as its configuration is right. */
interface Listener {
  readonly auth?: { readonly tokens?: unknown } | undefined;
}

/**
 * Those that may come: the tenants that a token names; and undefined, where anyone may come without a tenant.
 * @param listeners receivers and the admin port; undefined for those that are off.
 */
export function tenantNames(listeners: readonly (Listener | undefined)[]): ReadonlySet<string | undefined> {
  const names = new Set<string | undefined>();
  for (const listener of listeners) {
    if (listener === undefined) continue;
    const tokens: unknown = listener.auth?.tokens;
    if (!Array.isArray(tokens) || tokens.length === 0) names.add(undefined);
    else for (const entry of tokens) names.add((entry as { tenant?: string } | null)?.tenant);
  }
  return names;
}
