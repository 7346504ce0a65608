import { EventEmitter } from 'node:events';
import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { AsyncContextManager } from '../../src/register/async-context-manager.ts';

const manager = new AsyncContextManager().enable();
const other = ROOT_CONTEXT.setValue(createContextKey('a test'), true);

it('a call gets its receiver and arguments, and the context that is given, also later', async () => {
  const receiver = { name: 'receiver' };
  async function call(this: unknown, first: number, second: number) {
    await null;
    return [this, first, second, manager.active()];
  }
  const result = await manager.with(other, call, receiver, 1, 2);
  expect(result).toEqual([receiver, 1, 2, other]);
  expect(manager.active()).toBe(ROOT_CONTEXT);
});

it('a bound function is called as it would have been, in its context', () => {
  const target = {
    greet(this: unknown, first: string, second: string) {
      return [this, first, second, manager.active()];
    },
  };
  const bound = { greet: manager.bind(other, target.greet) };
  expect(bound.greet('a', 'b')).toEqual([bound, 'a', 'b', other]);
  expect(bound.greet).toHaveLength(2);
});

it('what is no function is bound to nothing', () => {
  const emitter = new EventEmitter();
  expect(manager.bind(other, emitter)).toBe(emitter);
});
