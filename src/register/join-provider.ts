/** What a provider calls for each span, as all SDK lines have it. */
export interface JoiningProcessor {
  onStart(span: never, parentContext: never): void;
  onEnd(span: never): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * Puts a processor after those that a provider of the SDK 1.x, 2.x or 3.x has. They are called as before, and first.
 *
 *     2.x, 3.x  _activeSpanProcessor, which holds a list
 *     1.x       activeSpanProcessor, which holds a list, or is the only one; or there is none
 *
 * @returns false for a provider of another kind, which is left as it is.
 */
export function joinProvider(provider: object, processor: JoiningProcessor): boolean {
  const fields = provider as ProviderFields;
  const active = fields._activeSpanProcessor ?? fields.activeSpanProcessor;
  if (typeof active !== 'object' || active === null) return false;
  const list = active._spanProcessors;
  if (Array.isArray(list)) {
    append(active, list, processor);
    return true;
  }
  if (active !== fields.activeSpanProcessor || typeof fields.addSpanProcessor !== 'function') return false;
  // Only in place of one that does nothing may 1.x be asked to add: it stops an only processor for it.
  if (active.constructor.name === 'NoopSpanProcessor') fields.addSpanProcessor(processor);
  else standBeside(active, fields, processor);
  return true;
}

interface ActiveProcessor extends JoiningProcessor {
  _spanProcessors?: unknown;
}

interface ProviderFields {
  _activeSpanProcessor?: ActiveProcessor;
  activeSpanProcessor?: ActiveProcessor;
  addSpanProcessor?: (processor: JoiningProcessor) => void;
}

function append(active: ActiveProcessor, list: unknown[], processor: JoiningProcessor): void {
  // It may be the application's own array, frozen, or one that it still adds to.
  if (Object.isExtensible(list)) list.push(processor);
  else active._spanProcessors = [...list, processor];
}

/** 1.x with an only processor, which it made from the environment, and which a later one is to replace. */
function standBeside(only: ActiveProcessor, provider: ProviderFields, processor: JoiningProcessor): void {
  const add = provider.addSpanProcessor;
  provider.activeSpanProcessor = new Pair(only, processor);
  provider.addSpanProcessor = (added) => {
    provider.activeSpanProcessor = only;
    delete provider.addSpanProcessor;
    add?.call(provider, added);
    joinProvider(provider, processor);
  };
}

class Pair implements JoiningProcessor {
  readonly #both: readonly JoiningProcessor[];

  constructor(first: JoiningProcessor, second: JoiningProcessor) {
    this.#both = [first, second];
  }

  onStart(span: never, parentContext: never): void {
    for (const processor of this.#both) processor.onStart(span, parentContext);
  }

  onEnd(span: never): void {
    for (const processor of this.#both) processor.onEnd(span);
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#both.map((processor) => processor.forceFlush()));
  }

  async shutdown(): Promise<void> {
    await Promise.all(this.#both.map((processor) => processor.shutdown()));
  }
}
