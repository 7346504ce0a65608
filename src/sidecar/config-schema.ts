import type { z } from 'zod';
import { findContradictions } from './config-contradictions.ts';
import { sections } from './config-sections.ts';

/**
 * All that can be configured, in the Collector's words where it has one, with what each value is when it is not given.
 * Durations are in milliseconds here, sizes in bytes.
 */
export const configSchema = sections.superRefine(findContradictions);

/** The configuration, checked and complete. */
export type SidecarConfig = z.output<typeof configSchema>;
export type ListenerConfig = Pick<SidecarConfig['extensions']['admin'], 'endpoint' | 'tls' | 'auth'>;
export type StoreLimitsConfig = NonNullable<SidecarConfig['exporters']['memory']>;
export type DestinationConfig = NonNullable<SidecarConfig['exporters']['otlphttp' | 'otlp']>;
