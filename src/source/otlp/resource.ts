import { createHash } from 'node:crypto';
import { memoised } from '../../model/memo.ts';
import type { SpanResource } from '../../model/span.ts';
import { boundedName } from '../../support/bounded-name.ts';
import { flatValue } from '../../support/flat.ts';

/**
 * Makes a SpanResource of a resource's attributes, however they were received. The identity is a digest of the
 * attributes that tell processes apart, so that it can stand in records and logs without showing a host's name.
 */
export function resourceOf(attributes: Readonly<Record<string, unknown>>): SpanResource {
  const known = recent.find(({ values }) => IDENTIFYING.every((key, at) => attributes[key] === values[at]));
  return known?.resource ?? remembered(attributes, made(attributes));
}

/** Senders write the same resource into every request, and often many requests one after the other are of few senders. */
const recent: { readonly values: readonly unknown[]; readonly resource: SpanResource }[] = [];
const MAX_RECENT = 8;

function remembered(attributes: Readonly<Record<string, unknown>>, resource: SpanResource): SpanResource {
  const values = IDENTIFYING.map((key) => attributes[key]);
  if (!values.every(isSmall)) return resource;
  recent.unshift({ values: values.map(flatValue), resource });
  recent.length = Math.min(recent.length, MAX_RECENT);
  return resource;
}

function isSmall(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= MAX_VALUE_LENGTH;
  return value === undefined || typeof value === 'number' || typeof value === 'bigint';
}

/** In UTF-16 units, of what is remembered. */
const MAX_VALUE_LENGTH = 256;

function made(attributes: Readonly<Record<string, unknown>>): SpanResource {
  const parts = IDENTIFYING.map((key) => scalar(attributes[key]));
  const identity = identityOf(JSON.stringify(parts));
  const serviceName = attributes['service.name'];
  return {
    identity,
    serviceName: typeof serviceName === 'string' && serviceName !== '' ? boundedName(serviceName) : undefined,
  };
}

/** Remembered for senders of which there are more. */
const identityOf = memoised(1_000, (parts) => createHash('sha256').update(parts).digest('hex').slice(0, 32));

/** Whether `resourceOf` reads this attribute: sources that decode resources need no other. */
export function isResourceKey(key: string): boolean {
  return IDENTIFYING_SET.has(key);
}

/** Resource attributes of OpenTelemetry's semantic conventions that differ between processes and stay the same within one. */
const IDENTIFYING: readonly string[] = [
  'service.namespace',
  'service.name',
  'service.instance.id',
  'host.id',
  'host.name',
  'process.pid',
  'container.id',
  'k8s.pod.uid',
];
const IDENTIFYING_SET = new Set(IDENTIFYING);

/** Bounded, as all of it is remembered. A pid may come as a number, a bigint or a string, by the sender's choice; all spell the same process. */
function scalar(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? boundedName(String(value))
    : null;
}

/** Of a sender that says nothing of where its spans come from. */
export const NO_RESOURCE: SpanResource = resourceOf({});
