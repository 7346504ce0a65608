import { resolve } from 'node:path';
import type { z } from 'zod';
import { type ListenAddress, parseListenAddress } from './config-address.ts';
import { STORES, type sections } from './config-sections.ts';
import { isOwnEndpoint } from './forward-own-endpoint.ts';

/** Finds what each value alone cannot tell. */
export function findContradictions(config: ConfigDraft, context: z.RefinementCtx): void {
  const mistake: Mistake = (path, message) => context.addIssue({ code: 'custom', path: [...path], message });
  checkReceivers(config, mistake);
  checkStores(config, mistake);
  checkDestinations(config, mistake);
  const { root_quiet, idle } = config.processors.fanout;
  if (root_quiet > idle) {
    mistake(
      ['processors', 'fanout', 'root_quiet'],
      'expected at most idle: a trace with its root never waits longer',
    );
  }
}

const MAX_BODY_SIZE = 511 * 2 ** 20;

type Mistake = (path: readonly string[], message: string) => void;
type ConfigDraft = z.output<typeof sections>;

function checkReceivers({ receivers: { otlp } }: ConfigDraft, mistake: Mistake): void {
  const { http, grpc } = otlp.protocols;
  if (http === undefined && grpc === undefined) {
    mistake(
      ['receivers', 'otlp', 'protocols'],
      'expected http, grpc or both; with neither nothing can be received',
    );
  }
  for (const [name, protocol] of Object.entries({ http, grpc })) {
    if ((protocol?.max_request_body_size ?? 0) <= MAX_BODY_SIZE) continue;
    mistake(
      ['receivers', 'otlp', 'protocols', name, 'max_request_body_size'],
      'expected at most 511MiB: a body of JSON becomes one text, which cannot be longer',
    );
  }
  const largest = Math.max(http?.max_request_body_size ?? 0, grpc?.max_request_body_size ?? 0);
  if (otlp.max_in_flight_size < 2 * largest) {
    mistake(
      ['receivers', 'otlp', 'max_in_flight_size'],
      'expected at least twice max_request_body_size: a body is held as it came and inflated',
    );
  }
}

function checkStores({ exporters }: ConfigDraft, mistake: Mistake): void {
  const [first, ...others] = STORES.filter((name) => exporters[name] !== undefined);
  for (const name of others) {
    mistake(['exporters', name], `expected one place for plans; ${first} is one already`);
  }
}

function checkDestinations(config: ConfigDraft, mistake: Mistake): void {
  const { lmdb, otlphttp, otlp } = config.exporters;
  if (otlphttp !== undefined && otlp !== undefined) {
    mistake(['exporters', 'otlp'], 'expected one destination; otlphttp is one already');
  }
  const listeners = listenersOf(config);
  for (const [name, exporter] of Object.entries({ otlphttp, otlp })) {
    if (exporter === undefined) continue;
    const at = (...path: readonly string[]) => ['exporters', name, ...path];
    if (isOwnEndpoint(exporter.endpoint, listeners)) {
      mistake(
        at('endpoint'),
        'expected the place where spans went before; this is where the sidecar itself listens, and they would go round for ever',
      );
    }
    const { storage } = exporter.sending_queue;
    if (exporter.sync && storage !== undefined) {
      mistake(at('sync'), 'expected false where sending_queue.storage is given: with sync nothing is queued');
    }
    if (storage !== undefined && lmdb !== undefined && resolve(storage) === resolve(lmdb.path)) {
      mistake(at('sending_queue', 'storage'), 'expected another directory than that of the plans');
    }
    if ((exporter.tls.cert_file === undefined) !== (exporter.tls.key_file === undefined)) {
      mistake(at('tls'), 'expected cert_file and key_file, or neither');
    }
  }
}

/** Where the sidecar will listen, as far as that is known beforehand. */
function listenersOf({ receivers, extensions }: ConfigDraft): readonly ListenAddress[] {
  const { http, grpc } = receivers.otlp.protocols;
  return [http, grpc, extensions.admin].flatMap((listener) => {
    const address = listener && parseListenAddress(listener.endpoint);
    return address === undefined || address.port === 0 ? [] : [address];
  });
}
