import { expect } from 'vitest';
import { z } from 'zod';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Response_>>;
}

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

interface Response_ {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<
    Record<string, { readonly schema: JsonSchema; readonly 'x-event-data'?: JsonSchema }>
  >;
}

/** Asks the admin port, and holds every answer to the document that it serves of itself. */
export class CheckedAdmin {
  readonly base: string;
  readonly #document: OpenApi;
  /** `GET /v1/plans 200` and so on: what was seen. */
  readonly seen = new Set<string>();

  private constructor(base: string, document: OpenApi) {
    this.base = base;
    this.#document = document;
  }

  static async of(base: string): Promise<CheckedAdmin> {
    const answer = await fetch(`${base}/openapi.json`);
    return new CheckedAdmin(base, (await answer.json()) as OpenApi);
  }

  /** @param template the path as the document says it; `{agent}` is replaced. */
  async ask(
    template: string,
    { agent = '', query = '', ...init }: RequestInit & { agent?: string; query?: string } = {},
  ): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly body: unknown;
    readonly text: string;
  }> {
    const path = template.replace('{agent}', encodeURIComponent(agent));
    const answer = await fetch(`${this.base}${path}${query}`, init);
    const text = await answer.text();
    const described = this.#described(template, init.method ?? 'GET', answer.status);
    const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
    if (described.content === undefined) {
      expect(text).toBe('');
      return { status: answer.status, headers: answer.headers, body: undefined, text };
    }
    expect(Object.keys(described.content)).toContain(type);
    const schema = described.content[type]?.schema ?? {};
    const body: unknown = type.endsWith('json') ? JSON.parse(text) : text;
    const checked = z.fromJSONSchema(schema).safeParse(body);
    expect(checked.error?.issues ?? [], `${template} ${answer.status}`).toEqual([]);
    return { status: answer.status, headers: answer.headers, body, text };
  }

  /** What an event of a stream must be. */
  eventSchema(template: string) {
    const content = this.#described(template, 'GET', 200).content?.['text/event-stream'];
    return z.fromJSONSchema(content?.['x-event-data'] ?? {});
  }

  #described(template: string, method: string, status: number): Response_ {
    this.seen.add(`${method} ${template} ${status}`);
    const described = this.#document.paths[template]?.[method.toLowerCase()]?.responses[String(status)];
    if (described === undefined) throw new Error(`the document knows no ${method} ${template} ${status}`);
    return described;
  }
}
