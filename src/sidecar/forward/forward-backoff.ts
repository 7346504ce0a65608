/** How long to wait between tries. */
export interface BackoffOptions {
  /** Before the second try; each further wait is half as long again. */
  readonly initialIntervalMillis: number;
  readonly maxIntervalMillis: number;
}

/**
 * The wait before the next try, up to half as long or as short again: requests that failed together are not to come
 * again together.
 * @param failures how often it failed, at least 1
 * @param random from 0 to 1
 */
export function backoffMillis(failures: number, options: BackoffOptions, random: number): number {
  const { initialIntervalMillis, maxIntervalMillis } = options;
  const grown = initialIntervalMillis * 1.5 ** Math.min(failures - 1, 100);
  return Math.min(grown, maxIntervalMillis) * (0.5 + random);
}
