import { STATUS_CODES } from 'node:http';
import { StoreError } from '../../store/plan-store.ts';

/** What the admin port answers with. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function jsonAnswer(value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache', ...headers },
    body: JSON.stringify(value),
  };
}

/** An answer that is an error, as problem details (RFC 9457). Thrown where it is found out. */
export class Problem extends Error {
  readonly status: number;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    extensions: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.extensions = extensions;
    this.headers = headers;
  }

  get answer(): Answer {
    const { status, message: detail } = this;
    const title = STATUS_CODES[status] ?? 'Error';
    return {
      status,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...this.headers },
      body: JSON.stringify({ type: 'about:blank', title, status, detail, ...this.extensions }),
    };
  }
}

/** Any error as a problem; one that nobody foresaw says nothing, as it may hold anything. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreError) return problemOfStore(error);
  return new Problem(500, 'This is a fault of spanplan.');
}

/** What to answer where the store failed. Its messages hold no password. */
function problemOfStore(error: StoreError): Problem {
  const { code, message } = error;
  if (code === 'corrupt_plan') return new Problem(500, message, { code });
  return new Problem(503, message, { code }, { 'retry-after': '2' });
}
