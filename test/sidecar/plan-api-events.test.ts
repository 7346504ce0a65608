import { EventEmitter } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { problemOf } from '../../src/sidecar/plan-api/plan-api-answer.ts';
import { PlanEvents, type PlanNews } from '../../src/sidecar/plan-api/plan-api-events.ts';
import type { PlanChange } from '../../src/store/plan-store.ts';
import { eventually } from './running-sidecar.ts';

/** A plan whose changes the test makes, and whose store answers when the test says so. */
class Plan {
  readonly tenant = {};
  readonly listeners = new Set<(change: PlanChange) => void>();
  revision: number | undefined = 1;
  ready: Promise<void> = Promise.resolve();

  news(agentId = 'planner'): PlanNews {
    return {
      agentId,
      tenant: this.tenant,
      revision: async () => {
        const { revision } = this;
        await this.ready;
        return revision;
      },
      subscribe: (listener) => {
        this.listeners.add(listener);
        return () => void this.listeners.delete(listener);
      },
    };
  }

  change(revision: number | undefined, agentId = 'planner'): void {
    this.revision = revision;
    for (const listener of this.listeners) listener({ agentId, revision });
  }
}

/** Serves events; each request is given to the next of the plans. */
async function serving(events: PlanEvents, plans: readonly Plan[]) {
  let next = 0;
  const server = createServer((_, response: ServerResponse) => {
    const plan = plans[Math.min(next++, plans.length - 1)] ?? new Plan();
    events.add(response, plan.news()).catch((error: unknown) => {
      response.writeHead(problemOf(error).status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    events.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async () => {
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const answer = await fetch(url, { signal: abort.signal });
    const heard = { status: answer.status, text: '', leave: () => abort.abort() };
    const write = (text: string) => {
      heard.text += text;
    };
    answer.body
      ?.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write }))
      .catch(() => {});
    return heard;
  };
}

const revisions = ({ text }: { readonly text: string }) =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => (JSON.parse(data) as PlanChange).revision);

test('a change while the state is looked up is not lost', async () => {
  const plan = new Plan();
  let answer = () => {};
  plan.ready = new Promise((resolve) => {
    answer = resolve;
  });
  const listen = await serving(new PlanEvents(1), [plan]);
  const listening = listen();
  await eventually(async () => (plan.listeners.size > 0 ? true : undefined));
  plan.change(2);
  answer();
  const heard = await listening;
  await eventually(async () => (revisions(heard).length >= 2 ? true : undefined));
  expect(revisions(heard)).toEqual([1, 2]);
});

test('what was in the state already is not told again, nor what concerns others', async () => {
  const plan = new Plan();
  const listen = await serving(new PlanEvents(1), [plan]);
  const heard = await listen();
  for (const revision of [1, 2, 2]) plan.change(revision);
  plan.change(9, 'another');
  plan.change(undefined);
  plan.change(1);
  await eventually(async () => (revisions(heard).length >= 4 ? true : undefined));
  expect(revisions(heard)).toEqual([1, 2, undefined, 1]);
});

test('a change that the store did not tell of is found with the next heartbeat', async () => {
  const plan = new Plan();
  const listen = await serving(new PlanEvents(1, 30), [plan]);
  const heard = await listen();
  plan.revision = 5;
  await eventually(async () => (revisions(heard).includes(5) ? true : undefined));
  await eventually(async () => ((heard.text.match(/: still here/g)?.length ?? 0) > 3 ? true : undefined));
  expect(revisions(heard)).toEqual([1, 5]);
});

test('where there is no plan no heartbeat tells of one', async () => {
  const plan = new Plan();
  plan.revision = undefined;
  const listen = await serving(new PlanEvents(1, 20), [plan]);
  const heard = await listen();
  await eventually(async () => ((heard.text.match(/: still here/g)?.length ?? 0) > 3 ? true : undefined));
  expect(revisions(heard)).toEqual([undefined]);
});

test('no heartbeat comes before it is known whether there is something to tell', async () => {
  const plan = new Plan();
  plan.ready = new Promise((_, reject) => setTimeout(() => reject(new Error('away')), 100));
  const listen = await serving(new PlanEvents(1, 10), [plan]);
  expect((await listen()).status).toBe(500);
});

test('who is sent away before it is known what to tell hears nothing, and nobody of it', async () => {
  const plan = new Plan();
  let answer = () => {};
  plan.ready = new Promise((resolve) => {
    answer = resolve;
  });
  const events = new PlanEvents(1);
  const adding: Promise<void>[] = [];
  const server = createServer((_, response) => void adding.push(events.add(response, plan.news())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const asked = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await eventually(async () => (plan.listeners.size > 0 ? true : undefined));
  events.close();
  answer();
  await expect(adding[0]).resolves.toBeUndefined();
  expect(await (await asked).text()).toBe('');
  expect([events.size, plan.listeners.size]).toEqual([0, 0]);
});

test('who leaves too much unread is sent away', async () => {
  class Unread extends EventEmitter {
    writableLength = 0;
    writableEnded = false;
    destroyed = false;
    readonly written: string[] = [];
    writeHead(): void {}
    write(text: string): void {
      this.written.push(text);
    }
    destroy(): void {
      this.destroyed = true;
      this.emit('close');
    }
  }
  const [plan, events, response] = [new Plan(), new PlanEvents(1), new Unread()];
  onTestFinished(() => events.close());
  await events.add(response as unknown as ServerResponse, plan.news());
  response.writableLength = 64 * 1_024;
  plan.change(2);
  expect([response.destroyed, events.size, response.written.length]).toEqual([false, 1, 3]);
  response.writableLength++;
  plan.change(3);
  expect([response.destroyed, events.size, plan.listeners.size, response.written.length]).toEqual([
    true,
    0,
    0,
    3,
  ]);
});

test('a tenant with all of its listeners takes none from another', async () => {
  const [one, other] = [new Plan(), new Plan()];
  const events = new PlanEvents(2);
  const listen = await serving(events, [one, one, one, other, one]);
  const first = await listen();
  const statuses = [first.status];
  for (let count = 0; count < 3; count++) statuses.push((await listen()).status);
  expect(statuses).toEqual([200, 200, 503, 200]);
  expect(events.size).toBe(3);
  first.leave();
  await eventually(async () => (one.listeners.size === 1 ? true : undefined));
  expect((await listen()).status).toBe(200);
});

test('where the store cannot be read the place is free again', async () => {
  const plan = new Plan();
  plan.ready = Promise.reject(new Error('away'));
  plan.ready.catch(() => {});
  const events = new PlanEvents(1);
  const listen = await serving(events, [plan]);
  expect((await listen()).status).toBe(500);
  expect([events.size, plan.listeners.size]).toEqual([0, 0]);
});
