import { expect } from 'vitest';
import { z } from 'zod';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly responses: Readonly<Record<string, Response_>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

interface Operation {
  readonly responses?: Readonly<Record<string, Response_ | Reference>>;
}

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

interface Reference {
  readonly $ref: string;
}

interface Response_ {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: JsonSchema }>>;
  readonly content?: Readonly<
    Record<string, { readonly schema: JsonSchema; readonly 'x-event-data'?: JsonSchema }>
  >;
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
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

  static async of(base: string, headers: Readonly<Record<string, string>> = {}): Promise<CheckedAdmin> {
    const answer = await fetch(`${base}/openapi.json`, { headers });
    return new CheckedAdmin(base, (await answer.json()) as OpenApi);
  }

  /** @param template the path as the document says it; `{agent}` is replaced. */
  async ask(
    template: string,
    { agent = '', query = '', ...init }: RequestInit & { agent?: string; query?: string } = {},
  ): Promise<RawAnswer & { readonly body: unknown }> {
    const path = template.replace('{agent}', encodeURIComponent(agent));
    const answer = await fetch(`${this.base}${path}${query}`, init);
    const raw = { status: answer.status, headers: answer.headers, text: await answer.text() };
    return { ...raw, body: this.check(template, init.method ?? 'GET', raw) };
  }

  /**
   * Holds an answer to the document.
   * @param template `undefined` for a path that is none.
   * @returns its body.
   */
  check(template: string | undefined, method: string, { status, headers, text }: RawAnswer): unknown {
    const what = `${method} ${template} ${status}`;
    const described = this.#described(template, method, status);
    for (const [name, { required, schema }] of Object.entries(described.headers ?? {})) {
      const value = headers.get(name);
      if (value === null) expect(required ?? false, `${what} has ${name}`).toBe(false);
      else expect(this.#issues(schema, value), `${what} ${name}`).toEqual([]);
    }
    for (const name of ['allow', 'www-authenticate', 'retry-after']) {
      const names = Object.keys(described.headers ?? {}).map((header) => header.toLowerCase());
      if (headers.has(name)) expect(names, what).toContain(name);
    }
    if (described.content === undefined || method === 'HEAD') {
      expect(text).toBe('');
      return undefined;
    }
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    expect(Object.keys(described.content)).toContain(type);
    const body: unknown = type.endsWith('json') ? JSON.parse(text) : text;
    expect(this.#issues(described.content[type]?.schema ?? {}, body), what).toEqual([]);
    return body;
  }

  /** What an event of a stream must be. */
  eventSchema(template: string) {
    const content = this.#described(template, 'GET', 200).content?.['text/event-stream'];
    return z.fromJSONSchema(content?.['x-event-data'] ?? {});
  }

  #issues(schema: JsonSchema, value: unknown): readonly unknown[] {
    return z.fromJSONSchema(this.#resolved(schema)).safeParse(value).error?.issues ?? [];
  }

  #described(template: string | undefined, method: string, status: number): Response_ {
    this.seen.add(`${method} ${template} ${status}`);
    if (template === undefined) {
      expect(status).toBe(404);
      return this.#document.components.responses.NotFound ?? {};
    }
    const operations = this.#document.paths[template] ?? {};
    const name = method === 'HEAD' ? 'get' : method.toLowerCase();
    // Where there is no such method, the others say how that is answered.
    const [operation] =
      name in operations ? [operations[name]] : Object.values(operations).filter((other) => other.responses);
    if (!(name in operations)) expect([405, 417], `${method} ${template}`).toContain(status);
    const described = operation?.responses?.[String(status)];
    if (described === undefined) throw new Error(`the document knows no ${method} ${template} ${status}`);
    return this.#resolved(described);
  }

  /** What a reference refers to. */
  #resolved<T extends object | boolean>(described: T | Reference): T {
    if (typeof described !== 'object' || !('$ref' in described)) return described as T;
    const [, ...path] = String(described.$ref).split('/');
    const found = path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], this.#document);
    if (found === undefined) throw new Error(`${described.$ref} refers to nothing`);
    return found as T;
  }
}
