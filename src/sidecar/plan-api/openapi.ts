import { z } from 'zod';
import { failures, openFailures, problemResponses } from './openapi-problems.ts';
import { schemas } from './plan-api-schemas.ts';

/**
 * The admin port as an OpenAPI 3.1 document, made of the same schemas that its answers are held to. HEAD is answered as
 * GET without the body, and a path that is none as the response `NotFound` says.
 */
export function openApiDocument(version: string): Readonly<Record<string, unknown>> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'spanplan',
      version,
      summary: 'Which tools an agent runs at the same time, as learned from its spans',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{}, { bearer: [] }],
    paths: {
      '/v1/plans': {
        get: operation('listPlans', 'The agents with a plan or runs, in order of their names', {
          parameters: [
            query(
              'limit',
              { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
              'Most agents on the page',
            ),
            query('after', { type: 'string' }, 'Begins after this agent'),
          ],
          responses: { 200: json('The agents', schemas.plans), ...failures() },
        }),
      },
      '/v1/plans/{agent}': {
        parameters: [AGENT],
        get: operation('getPlan', "An agent's ExecutionPlan", {
          parameters: [
            query(
              'maximal',
              { type: 'boolean', default: false },
              'Leaves out groups that another one contains',
            ),
            header('If-None-Match', 'The ETag of the version that is known already'),
          ],
          responses: {
            200: { ...json('The plan', schemas.executionPlan), headers: { ...ETAG, ...STALE } },
            304: { description: 'The known version is the current one', headers: { ...ETAG, ...STALE } },
            ...failures(404),
          },
        }),
      },
      '/v1/plans/{agent}/groups': {
        parameters: [AGENT],
        get: operation('listGroups', "The groups of an agent's plan, and in how many runs each was seen", {
          responses: { 200: json('The groups', schemas.groups), ...failures(404) },
        }),
      },
      '/v1/plans/{agent}/runs': {
        parameters: [AGENT],
        get: operation('listRuns', 'The runs that are kept of an agent, oldest first', {
          parameters: [
            query(
              'limit',
              { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
              'Only the newest ones',
            ),
          ],
          responses: { 200: json('The runs', schemas.runs), ...failures(404) },
        }),
      },
      '/v1/plans/{agent}/partition': {
        parameters: [AGENT],
        post: operation('partition', 'Cuts calls into batches that may each run at once, and says why', {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(schemas.partitionRequest) } },
          },
          responses: {
            200: json('The batches, in the order of the calls', schemas.partition),
            ...failures(413, 415),
          },
        }),
      },
      '/v1/plans/{agent}/events': {
        parameters: [AGENT],
        get: operation('watchPlan', 'Server-sent events: `plan`, now and after each change of the plan', {
          responses: {
            200: {
              description: 'A stream that ends with the connection; the data of each event is a JSON object',
              content: {
                'text/event-stream': {
                  schema: { type: 'string' },
                  'x-event-data': schemaOf(schemas.planEvent),
                },
              },
            },
            ...failures(),
          },
        }),
      },
      '/healthz': {
        get: operation('health', 'Whether the process works', {
          security: [],
          responses: { 200: json('It does', schemas.health), ...openFailures() },
        }),
      },
      '/readyz': {
        get: operation('readiness', 'Whether spans can be taken', {
          security: [],
          responses: {
            200: json('They can; what is amiss behind it stands in `degraded`', schemas.readiness),
            503: json('They cannot, for now', schemas.readiness),
            ...openFailures(),
          },
        }),
      },
      '/metrics': {
        get: operation('metrics', 'Metrics as Prometheus reads them', {
          responses: {
            200: { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
            ...failures(403),
          },
        }),
      },
      '/openapi.json': {
        get: operation('openApi', 'This document', {
          responses: {
            200: {
              description: 'OpenAPI 3.1',
              content: { 'application/json': { schema: { type: 'object' } } },
            },
            ...failures(),
          },
        }),
      },
    },
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: schemaOf(schemas.problem) },
      responses: problemResponses(),
    },
  };
}

const AGENT = {
  name: 'agent',
  in: 'path',
  required: true,
  description: 'Name of the agent, percent-encoded',
  schema: { type: 'string' },
};

const ETAG = { ETag: { schema: { type: 'string' } } };
const STALE = {
  'Spanplan-Stale': {
    description: 'Present while the store cannot be read, and this is the last plan known',
    schema: { const: 'true' },
  },
};

function operation(operationId: string, summary: string, rest: Readonly<Record<string, unknown>>) {
  return { operationId, summary, ...rest };
}

function query(name: string, schema: object, description: string) {
  return { name, in: 'query', required: false, description, schema };
}

function header(name: string, description: string) {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } };
}

function json(description: string, schema: z.ZodType) {
  return answer(description, 'application/json', schema);
}

function answer(description: string, contentType: string, schema: z.ZodType) {
  return { description, content: { [contentType]: { schema: schemaOf(schema) } } };
}

/** OpenAPI 3.1 takes JSON Schema as it is. */
function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
