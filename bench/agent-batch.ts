/** An OTLP request in the JSON mapping, as SDKs write it. */
export interface OtlpRequestJson {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValueJson[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly spans: readonly SpanJson[];
    }[];
  }[];
}

export interface SpanJson {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValueJson[];
  readonly events: readonly [];
  readonly status: { readonly code: number };
}

export interface KeyValueJson {
  readonly key: string;
  readonly value: ValueJson;
}

export interface ValueJson {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

const SPANS = 512;
const RESOURCES = 4;
const SCOPES = 3;
const SHAPES = 60;
const SPANS_PER_TRACE = 20;

/**
 * One request of 512 spans from four processes: agents with their tools and models by the GenAI conventions and by
 * OpenInference, whose prompts, arguments and results are of 1 KB, among spans of a web service.
 *
 * @param seed makes ids, so that no two requests have one in common.
 * @param agentShare of the spans; all are of sixty shapes.
 */
export function agentBatch(seed: number, agentShare: number): OtlpRequestJson {
  const spans = Array.from({ length: SPANS }, (_, index) => {
    const isAgents = Math.floor((index + 1) * agentShare) > Math.floor(index * agentShare);
    return spanOf(seed * SPANS + index, isAgents);
  });
  const perScope = SPANS / RESOURCES / SCOPES;
  return {
    resourceSpans: Array.from({ length: RESOURCES }, (_, resource) => ({
      resource: { attributes: resourceAttributes(resource) },
      scopeSpans: Array.from({ length: SCOPES }, (_, scope) => {
        const from = (resource * SCOPES + scope) * perScope;
        return {
          scope: { name: `@company/instrumentation-${scope}`, version: '1.2.3' },
          spans: spans.slice(Math.round(from), Math.round(from + perScope)),
        };
      }),
    })),
  };
}

function resourceAttributes(resource: number): KeyValueJson[] {
  return [
    text('service.name', `service-${resource}`),
    text('service.version', '4.5.6'),
    text('telemetry.sdk.language', 'nodejs'),
    text('host.name', `host-${resource}.internal`),
    int('process.pid', 4_000 + resource),
    text('process.runtime.version', '20.20.2'),
  ];
}

function spanOf(index: number, isAgents: boolean): SpanJson {
  const place = index % SPANS_PER_TRACE;
  const start = 1_795_354_563_298_730_797n + BigInt(index) * 1_000_003n;
  const common = {
    traceId: hex(Math.floor(index / SPANS_PER_TRACE), 32),
    spanId: hex(index, 16),
    ...(place > 0 && { parentSpanId: hex(index - place, 16) }),
    flags: 0x101,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 25_000_000n),
    events: [] as const,
    status: { code: index % 50 === 0 ? 2 : 0 },
  };
  if (!isAgents)
    return { ...common, name: `GET /api/${index % SHAPES}`, kind: 2, attributes: webAttributes(index) };
  const [name, attributes] = index % 2 === 0 ? genAiSpan(index, place) : openInferenceSpan(index, place);
  return { ...common, name, kind: 1, attributes: [...attributes, ...ownAttributes(index)] };
}

function genAiSpan(index: number, place: number): [string, KeyValueJson[]] {
  const conversation = text('gen_ai.conversation.id', `conv_${hex(index - place, 16)}`);
  if (place === 0) {
    return [
      'invoke_agent planner',
      [text('gen_ai.operation.name', 'invoke_agent'), text('gen_ai.agent.name', 'planner'), conversation],
    ];
  }
  if (place % 5 === 0) {
    return [
      'chat model-large',
      [
        text('gen_ai.operation.name', 'chat'),
        text('gen_ai.provider.name', 'example'),
        text('gen_ai.request.model', 'model-large'),
        conversation,
        text('gen_ai.input.messages', messages('user', index)),
        text('gen_ai.output.messages', messages('assistant', index + 1)),
        int('gen_ai.usage.input_tokens', 700 + (index % 300)),
        int('gen_ai.usage.output_tokens', 80 + (index % 90)),
      ],
    ];
  }
  return [
    `execute_tool tool_${index % 7}`,
    [
      text('gen_ai.operation.name', 'execute_tool'),
      text('gen_ai.tool.name', `tool_${index % 7}`),
      text('gen_ai.tool.type', 'function'),
      text('gen_ai.tool.call.id', `call_${hex(index, 16)}`),
      conversation,
      text('gen_ai.tool.call.arguments', JSON.stringify({ query: prose(index, 1_000) })),
      text('gen_ai.tool.call.result', prose(index + 3, 1_024)),
    ],
  ];
}

function openInferenceSpan(index: number, place: number): [string, KeyValueJson[]] {
  const isModel = place % 5 === 1;
  const name = isModel ? 'ChatModel' : `lookup_${index % 9}`;
  return [
    name,
    [
      text('openinference.span.kind', isModel ? 'LLM' : 'TOOL'),
      text('input.value', prose(index, 1_024)),
      text('input.mime_type', 'text/plain'),
      text('output.value', messages('assistant', index)),
      text('output.mime_type', 'application/json'),
      text('session.id', `session-${hex(index - place, 16)}`),
      ...(isModel
        ? [
            text('llm.model_name', 'model-large'),
            int('llm.token_count.prompt', 700),
            int('llm.token_count.completion', 80),
          ]
        : [text('tool.name', name), text('tool.description', 'Looks up what is known of a place.')]),
    ],
  ];
}

/** What an application adds by itself, in sixty shapes. */
function ownAttributes(index: number): KeyValueJson[] {
  const shape = index % SHAPES;
  return [
    text(`app.shape${shape}.customer_tier`, 'gold'),
    { key: `app.shape${shape}.cached`, value: { boolValue: false } },
    { key: `app.shape${shape}.score`, value: { doubleValue: 0.25 } },
  ];
}

/** Of an application that serves requests and asks a database: statements and stack traces are as long as prompts. */
function webAttributes(index: number): KeyValueJson[] {
  const shape = index % SHAPES;
  const own = Array.from({ length: 1 + (shape % 4) }, (_, field) =>
    text(`app.shape${shape}.field${field}`, `value ${field}`),
  );
  if (index % 2 === 0) {
    return [
      text('http.request.method', 'GET'),
      text('url.full', `https://shop.example.com/api/${shape}/items?page=${index % 40}&sort=price`),
      int('http.response.status_code', 500),
      text('exception.stacktrace', prose(index, 1_024)),
      text('exception.message', prose(index + 1, 1_024)),
      ...own,
    ];
  }
  return [
    text('db.system.name', 'postgresql'),
    text('db.namespace', 'shop'),
    text('db.query.text', prose(index, 1_024)),
    text('db.query.parameter.0', prose(index + 2, 1_024)),
    int('db.response.returned_rows', index % 40),
    ...own,
  ];
}

/** Messages as the conventions write them: JSON in a text of about 1 KB. */
function messages(role: string, seed: number): string {
  const parts = [
    { type: 'text', content: prose(seed, 700) },
    { type: 'text', content: prose(seed + 1, 150) },
  ];
  return JSON.stringify([{ role, parts }]);
}

const WORDS =
  'the agent looks for a flight from one city to another, and a hotel that is not far from it; '.split(' ');

function prose(seed: number, length: number): string {
  let made = '';
  for (let word = seed; made.length < length; word += 5) made += `${WORDS[word % WORDS.length]} `;
  return made.slice(0, length);
}

/** An id, all of whose digits differ from those of the next. */
function hex(number: number, digits: number): string {
  let made = '';
  for (let state = number + 1; made.length < digits; ) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    made += (state >>> 0).toString(16).padStart(8, '0');
  }
  return made;
}

function text(key: string, stringValue: string): KeyValueJson {
  return { key, value: { stringValue } };
}

function int(key: string, value: number): KeyValueJson {
  return { key, value: { intValue: String(value) } };
}
