import { resolve } from 'node:path';
import { isOwnEndpoint } from '../forward/forward-own-endpoint.ts';
import { tenantNames } from '../tenant-names.ts';
import { type ListenAddress, parseListenAddress } from './config-address.ts';
import type { ConfigDraft, Contradiction } from './config-draft.ts';
import { listenerContradictions } from './config-listeners.ts';
import { STORES } from './config-sections.ts';
import { tokenContradictions } from './config-tokens.ts';

/**
 * Finds contradictions between the values that are right.
 * @param known what was found wrong before.
 */
export function* findContradictions(
  draft: ConfigDraft,
  known: readonly KnownIssue[] = [],
): Iterable<Contradiction> {
  const isWhole: IsWhole = (...path) => !known.some((issue) => touches(issue, path));
  yield* receiverContradictions(draft, isWhole);
  yield* listenerContradictions(draft);
  yield* storeContradictions(draft);
  yield* destinationContradictions(draft, isWhole);
  yield* tokenContradictions(draft);
  const { root_quiet, idle } = draft?.processors?.fanout ?? {};
  if (root_quiet !== undefined && idle !== undefined && root_quiet > idle) {
    yield {
      path: ['processors', 'fanout', 'root_quiet'],
      message: 'expected at most idle: a trace with its root never waits longer',
    };
  }
}

interface KnownIssue {
  readonly code?: string | undefined;
  readonly path?: readonly PropertyKey[] | undefined;
}

/** Whether something is wrong with what stands at the path, below it, or with all that it is a part of. */
function touches({ code, path: place = [] }: KnownIssue, path: readonly string[]): boolean {
  const isBelow = path.every((key, at) => place[at] === key);
  return isBelow || (code !== 'unrecognized_keys' && place.every((key, at) => path[at] === key));
}

/** Whether nothing was found wrong that touches the path. */
type IsWhole = (...path: readonly string[]) => boolean;

const MAX_BODY_SIZE = 511 * 2 ** 20;

function* receiverContradictions(draft: ConfigDraft, isWhole: IsWhole): Iterable<Contradiction> {
  const otlp = draft?.receivers?.otlp;
  const { http, grpc } = otlp?.protocols ?? {};
  const path = ['receivers', 'otlp', 'protocols'];
  if (http === undefined && grpc === undefined && isWhole(...path)) {
    yield { path, message: 'expected http, grpc or both; with neither nothing can be received' };
  }
  for (const [name, protocol] of Object.entries({ http, grpc })) {
    if ((protocol?.max_request_body_size ?? 0) <= MAX_BODY_SIZE) continue;
    yield {
      path: [...path, name, 'max_request_body_size'],
      message: 'expected at most 511MiB: a body of JSON becomes one text, which cannot be longer',
    };
  }
  const largest = Math.max(http?.max_request_body_size ?? 0, grpc?.max_request_body_size ?? 0);
  const which = `protocols.${http?.max_request_body_size === largest ? 'http' : 'grpc'}.max_request_body_size`;
  const inFlight = otlp?.max_in_flight_size ?? Number.POSITIVE_INFINITY;
  if (inFlight < 2 * largest) {
    yield {
      path: ['receivers', 'otlp', 'max_in_flight_size'],
      message: `expected at least twice ${which}: a body is held as it came and inflated`,
    };
  } else if (inFlight < 4 * largest && tenantNames([http, grpc, draft?.extensions?.admin]).size > 1) {
    yield {
      path: ['receivers', 'otlp', 'max_in_flight_size'],
      message: `expected at least four times ${which}: a tenant may take no more than it leaves to others`,
    };
  }
}

function* storeContradictions(draft: ConfigDraft): Iterable<Contradiction> {
  const [first, ...others] = STORES.filter((name) => draft?.exporters?.[name] !== undefined);
  for (const name of others) {
    yield {
      path: ['exporters', name],
      message: `expected one place for plans; ${first} is one already`,
    };
  }
}

function* destinationContradictions(draft: ConfigDraft, isWhole: IsWhole): Iterable<Contradiction> {
  const { lmdb, otlphttp, otlp } = draft?.exporters ?? {};
  if (otlphttp !== undefined && otlp !== undefined) {
    yield { path: ['exporters', 'otlp'], message: 'expected one destination; otlphttp is one already' };
  }
  const listeners = listenersOf(draft);
  for (const [name, exporter] of Object.entries({ otlphttp, otlp })) {
    if (exporter === undefined) continue;
    const { endpoint, sync, sending_queue, tls } = exporter;
    const at = (...path: readonly string[]) => ['exporters', name, ...path];
    if (endpoint !== undefined && isOwnEndpoint(endpoint, listeners)) {
      yield {
        path: at('endpoint'),
        message:
          'expected the place where spans went before; this is where the sidecar itself listens, and they would go round for ever',
      };
    }
    if (endpoint !== undefined && PORT_ZERO.test(endpoint)) {
      yield { path: at('endpoint'), message: 'expected a port above 0' };
    }
    const storage = sending_queue?.storage;
    if (sync === true && storage !== undefined) {
      yield {
        path: at('sync'),
        message: 'expected false where sending_queue.storage is given: with sync nothing is queued',
      };
    }
    if (storage !== undefined && lmdb?.path !== undefined && resolve(storage) === resolve(lmdb.path)) {
      yield {
        path: at('sending_queue', 'storage'),
        message: 'expected another directory than that of the plans',
      };
    }
    if ((tls?.cert_file === undefined) !== (tls?.key_file === undefined) && isWhole(...at('tls'))) {
      yield { path: at('tls'), message: 'expected cert_file and key_file, or neither' };
    }
  }
}

/** Only what stands before the path is host and port. */
const PORT_ZERO = /^(?:[a-z]+:\/\/)?[^/?#]*:0+(?:[/?#]|$)/i;

/** Where the sidecar will listen, as far as that is known beforehand. */
function listenersOf(draft: ConfigDraft): readonly ListenAddress[] {
  const { http, grpc } = draft?.receivers?.otlp?.protocols ?? {};
  return [http, grpc, draft?.extensions?.admin].flatMap((listener) => {
    const address = listener?.endpoint === undefined ? undefined : parseListenAddress(listener.endpoint);
    return address === undefined || address.port === 0 ? [] : [address];
  });
}
