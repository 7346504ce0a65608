/** The answers of the admin port that are errors, as its OpenAPI document describes them. */
import { STATUS_CODES } from 'node:http';

/** The failures of an operation: those of all, and further ones. */
export function failures(...statuses: readonly number[]): Readonly<Record<string, unknown>> {
  return referencesTo([...ALWAYS, ...GUARDED, ...statuses]);
}

/** The failures of an operation that is for anyone. */
export function openFailures(): Readonly<Record<string, unknown>> {
  return referencesTo(ALWAYS);
}

/** The answers that are errors, by name. */
export function problemResponses(): Readonly<Record<string, unknown>> {
  const entries = Object.entries(PROBLEMS).map(([status, { description, headers }]) => [
    nameOf(Number(status)),
    {
      ...(headers && { headers }),
      description,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  return Object.fromEntries(entries);
}

/** Every operation may fail so: what is asked is no request of HTTP that can be answered, or spanplan fails. */
const ALWAYS = [400, 405, 408, 417, 431, 500] as const;
/** And so all but health and readiness. */
const GUARDED = [401, 421, 503] as const;

function referencesTo(statuses: readonly number[]): Readonly<Record<string, unknown>> {
  const all = [...new Set(statuses)].sort();
  return Object.fromEntries(
    all.map((status) => [status, { $ref: `#/components/responses/${nameOf(status)}` }]),
  );
}

/** `405` is `MethodNotAllowed`. */
function nameOf(status: number): string {
  return (STATUS_CODES[status] ?? String(status)).replace(/[^A-Za-z]/g, '');
}

const PROBLEMS: Readonly<
  Record<number, { readonly description: string; readonly headers?: Readonly<Record<string, object>> }>
> = {
  400: { description: 'The request is malformed' },
  401: {
    description: 'No known token was shown',
    headers: { 'WWW-Authenticate': { required: true, schema: { const: 'Bearer' } } },
  },
  403: { description: 'This token is not for that' },
  404: { description: 'There is no such path or agent, or the agent has no plan' },
  405: {
    description: 'The method is not one of this path',
    headers: {
      Allow: {
        description: 'The methods that are',
        required: true,
        schema: { enum: ['GET, HEAD', 'GET', 'POST'] },
      },
    },
  },
  408: { description: 'The request did not come to its end in time' },
  413: { description: 'The body is too large' },
  415: { description: 'The body is of another type' },
  417: { description: 'An expectation other than 100-continue' },
  421: { description: 'The host that is asked is not known to mean this machine' },
  431: { description: 'The headers are too long' },
  500: { description: 'The stored plan cannot be read, or a fault of spanplan' },
  503: {
    description: 'The store cannot be read, or there are too many listeners',
    headers: {
      'Retry-After': {
        description: 'Seconds after which to come again',
        required: true,
        schema: { type: 'string', pattern: '^[1-9]\\d*$' },
      },
    },
  },
};
