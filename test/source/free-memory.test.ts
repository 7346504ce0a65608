import { describe, expect, it } from 'vitest';
import { freeMemory } from '../../src/source/receiver/free-memory.ts';

const PIECE = 2 ** 16;

describe('freeMemory', () => {
  it('gives memory back before the collector of garbage comes', () => {
    const pieces = Array.from({ length: 256 }, () => Buffer.allocUnsafeSlow(PIECE));
    const before = process.memoryUsage().arrayBuffers;
    for (const piece of pieces) freeMemory(piece);
    const freed = before - process.memoryUsage().arrayBuffers;
    expect(freed).toBeGreaterThan(0.9 * pieces.length * PIECE);
    expect(pieces.every(({ length }) => length === 0)).toBe(true);
  });

  it('leaves what is a part of other memory', () => {
    const whole = Buffer.alloc(2 * PIECE, 7);
    freeMemory(whole.subarray(0, PIECE));
    freeMemory(whole.subarray(1));
    expect(whole.every((byte) => byte === 7)).toBe(true);
    expect(whole.length).toBe(2 * PIECE);
  });

  it('leaves what is small', () => {
    const small = Buffer.allocUnsafeSlow(100);
    freeMemory(small);
    expect(small.length).toBe(100);
  });
});
