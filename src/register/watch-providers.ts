/**
 * Sees each tracer provider at the moment it becomes the global one, before any span can be made with it. All copies of
 * the API share one object on `globalThis`, so this works for a copy that is loaded later, and for bundled ones:
 *
 *     globalThis[key] = shared   →   shared.trace = proxy   →   proxy.setDelegate(provider)   →   seen(provider)
 *
 * Nothing is registered here: the API refuses a second registration, and one by a copy of another version.
 * @param attempted is called whenever some copy is about to register anything, before it looks whether it may.
 */
export function watchProviders(seen: (provider: object) => void, attempted: () => void = () => {}): void {
  const watched = new WeakSet<object>();
  let shared: unknown = Reflect.get(globalThis, API_KEY);
  if (isObject(shared)) watchShared(shared);
  Object.defineProperty(globalThis, API_KEY, {
    configurable: true,
    enumerable: true,
    get: () => shared,
    // Every registration assigns this, also where it assigns what was there.
    set(value: unknown) {
      const isNew = value !== shared;
      shared = value;
      quietly(() => {
        if (isNew && isObject(value)) watchShared(value);
        attempted();
      });
    },
  });

  /** The setter stands on the prototype, so that taking a registration away (`delete`) leaves it in place. */
  function watchShared(api: object): void {
    const there: unknown = Reflect.get(api, 'trace');
    const prototype = Object.create(Object.getPrototypeOf(api), {
      trace: {
        configurable: true,
        get: () => undefined,
        set(value: unknown) {
          const own = { value, configurable: true, enumerable: true, writable: true };
          Object.defineProperty(api, 'trace', own);
          quietly(() => watchProvider(value));
        },
      },
    });
    Object.setPrototypeOf(api, prototype);
    watchProvider(there);
  }

  function watchProvider(provider: unknown): void {
    if (!isObject(provider) || watched.has(provider)) return;
    watched.add(provider);
    if (!isProxy(provider)) {
      seen(provider);
      return;
    }
    const { setDelegate } = provider;
    Object.defineProperty(provider, 'setDelegate', {
      configurable: true,
      writable: true,
      value(delegate: unknown) {
        setDelegate.call(provider, delegate);
        quietly(() => watchProvider(delegate));
      },
    });
    watchProvider(provider.getDelegate());
  }
}

const API_KEY = Symbol.for('opentelemetry.js.api.1');

/** What the API puts before the provider, so that tracers may be asked for before there is one. */
interface ProxyProvider {
  getDelegate(): unknown;
  setDelegate(delegate: unknown): void;
}

function isProxy(provider: object): provider is ProxyProvider {
  const { getDelegate, setDelegate } = provider as Partial<Record<keyof ProxyProvider, unknown>>;
  return typeof getDelegate === 'function' && typeof setDelegate === 'function';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** All this happens inside calls of the application. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // It is told, after a while, that no provider was joined.
  }
}
