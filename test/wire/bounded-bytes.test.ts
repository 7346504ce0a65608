import { expect, it } from 'vitest';
import { BoundedBytes } from '../../src/source/receiver/bounded-bytes.ts';
import { Room } from '../../src/source/receiver/room.ts';
import { RecordingSink } from './recording-sink.ts';

function roomOf(sink: RecordingSink): Room {
  return new Room(sink, { signal: 'traces', tenant: undefined });
}

it('who finds no room is refused before anything is read', () => {
  const sink = new RecordingSink();
  sink.room = 4_095;
  expect(() => new BoundedBytes(roomOf(sink), 100_000)).toThrow('there is no room for more at the moment');
});

it('room is given back once, however often that is asked', () => {
  const sink = new RecordingSink();
  const room = roomOf(sink);
  for (const bytes of [10, 20]) room.take(bytes);
  room.giveBack();
  room.giveBack();
  expect(sink.held).toBe(0);
});

it('a length that is only claimed takes no room from others', () => {
  const sink = new RecordingSink();
  const bytes = new BoundedBytes(roomOf(sink), 100_000_000, 50_000_000);
  expect(sink.held).toBe(4_096);
  for (let count = 0; count < 10; count++) bytes.push(Buffer.alloc(1_000));
  expect(sink.held).toBe(16_384);
  expect(bytes.size).toBe(10_000);
});

it('what is kept of a body takes little more memory than the body', () => {
  const bytes = new BoundedBytes(roomOf(new RecordingSink()), 100_000_000);
  for (let count = 0; count < 70; count++) bytes.push(Buffer.alloc(1_000, count));
  const body = bytes.finish();
  expect(body).toHaveLength(70_000);
  expect([body[0], body[69_999]]).toEqual([0, 69]);
  expect(body.buffer.byteLength).toBeLessThanOrEqual(70_000 * 1.25);
});

it('a body of exactly the bound is taken, and no byte more', () => {
  const bytes = new BoundedBytes(roomOf(new RecordingSink()), 10);
  bytes.push(Buffer.alloc(10));
  expect(() => bytes.push(Buffer.alloc(1))).toThrow('expected a body of at most 10 bytes');
});
