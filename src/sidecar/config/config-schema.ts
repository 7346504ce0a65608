import type { z } from 'zod';
import { findContradictions } from './config-contradictions.ts';
import { sections } from './config-sections.ts';

/**
 * All that can be configured, in the Collector's words where it has one, with what each value is when it is not given.
 * Durations are in milliseconds here, sizes in bytes. Contradictions are looked for among the values that are right
 * also where others are wrong.
 */
export const configSchema = sections.superRefine(
  (draft, context) => {
    for (const { path, message } of findContradictions(draft, context.issues)) {
      context.addIssue({ code: 'custom', path: [...path], message, params: CONTRADICTION });
    }
  },
  { when: () => true },
);

const CONTRADICTION = { isContradiction: true };

/** Whether the issue is about several values, of which each would do. */
export function isContradiction(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'custom' && issue.params === CONTRADICTION;
}

/** The configuration, checked and complete. */
export type SidecarConfig = z.output<typeof configSchema>;
export type ListenerConfig = Pick<SidecarConfig['extensions']['admin'], 'endpoint' | 'tls' | 'auth'>;
export type StoreLimitsConfig = NonNullable<SidecarConfig['exporters']['memory']>;
export type DestinationConfig = NonNullable<SidecarConfig['exporters']['otlphttp' | 'otlp']>;
