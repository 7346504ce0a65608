import type { ConfigPath } from './config-file.ts';
import type { SidecarConfig } from './config-schema.ts';

/** Tells why a file cannot be read, in a word such as `ENOENT`; undefined where it can. */
export type FileCheck = (path: string) => string | undefined;

/** The keys whose files cannot be read, and what was expected. */
export function* fileMistakes(
  { receivers, exporters, extensions }: SidecarConfig,
  check: FileCheck,
): Iterable<{ readonly path: ConfigPath; readonly message: string }> {
  const { http, grpc } = receivers.otlp.protocols;
  const { otlphttp, otlp } = exporters;
  const users = [
    [['receivers', 'otlp', 'protocols', 'http', 'tls'], http?.tls],
    [['receivers', 'otlp', 'protocols', 'grpc', 'tls'], grpc?.tls],
    [['exporters', 'otlphttp', 'tls'], otlphttp?.tls],
    [['exporters', 'otlp', 'tls'], otlp?.tls],
    [['extensions', 'admin', 'tls'], extensions.admin.tls],
  ] as const;
  for (const [path, tls] of users) {
    for (const [key, file] of Object.entries(tls ?? {})) {
      if (!key.endsWith('_file') || typeof file !== 'string') continue;
      const reason = check(file);
      if (reason !== undefined) {
        yield { path: [...path, key], message: `expected a file that can be read (${reason})` };
      }
    }
  }
}
