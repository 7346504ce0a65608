/** A hook of the module loader, by which the receiver gets protobufjs for its own decoder and stays the same otherwise. */
export async function resolve(
  specifier: string,
  context: { readonly parentURL?: string },
  next: (specifier: string, context: object) => Promise<unknown>,
): Promise<unknown> {
  const isDecoder = /\/otlp-protobuf\.[jt]s$/.test(specifier);
  return isDecoder ? { url: PLAIN, shortCircuit: true } : next(specifier, context);
}

const PLAIN = new URL('./protobufjs-decoder.js', import.meta.url).href;
