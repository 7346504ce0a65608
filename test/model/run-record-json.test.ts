import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/model/run-record.ts';
import { formatRunRecord, parseRunRecord } from '../../src/model/run-record-json.ts';

const JSON_RUN = {
  id: '01a20358-daab-7171-846b-48ed65875fd4',
  agent_id: 'planner',
  started_at: '2026-11-22T13:01:24.523Z',
  ended_at: '2026-11-22T13:01:24.543Z',
  calls: [
    {
      kind: 'tool',
      name: 'search',
      started_at: '2026-11-22T13:01:24.524Z',
      ended_at: '2026-11-22T13:01:24.535123Z',
    },
    {
      kind: 'llm',
      name: 'chat',
      started_at: '2026-11-22T13:01:24.524Z',
      output_tokens: 12,
      prompt_tokens: 80,
      total_tokens: 92,
      tool_call_count: 3,
      model_name: 'm',
    },
  ],
};

describe('the JSON of a run', () => {
  it('is that of nemo-flow-adaptive, with absent fields left out', () => {
    const run = parseRunRecord(JSON_RUN);
    expect(run).toEqual({
      id: JSON_RUN.id,
      agentId: 'planner',
      startedAt: [1_795_352_484, 523_000_000],
      endedAt: [1_795_352_484, 543_000_000],
      calls: [
        {
          kind: 'tool',
          name: 'search',
          startedAt: [1_795_352_484, 524_000_000],
          endedAt: [1_795_352_484, 535_123_000],
        },
        {
          kind: 'llm',
          name: 'chat',
          startedAt: [1_795_352_484, 524_000_000],
          outputTokens: 12,
          promptTokens: 80,
          totalTokens: 92,
          toolCallCount: 3,
          modelName: 'm',
        },
      ],
    });
    expect(formatRunRecord(run)).toEqual(JSON_RUN);
  });

  it('has our own fields only where they say something', () => {
    const run: RunRecord = {
      ...parseRunRecord(JSON_RUN),
      minOverlapMillis: 2,
      crossResourceOverlapMillis: 50,
      calls: [{ kind: 'tool', name: 'a', startedAt: [0, 0], scope: 's', resource: 'r' }],
    };
    expect(formatRunRecord(run)).toMatchObject({
      min_overlap_ms: 2,
      cross_resource_overlap_ms: 50,
      calls: [{ scope: 's', resource: 'r' }],
    });
    expect(formatRunRecord({ ...run, minOverlapMillis: 0 })).not.toHaveProperty('min_overlap_ms');
    expect(parseRunRecord(formatRunRecord(run))).toEqual(run);
  });

  it('loses fields that are not known, which may hold content, and takes null for absent', () => {
    const call = { ...JSON_RUN.calls[0], arguments: 'secret', model_name: null };
    const run = parseRunRecord({ ...JSON_RUN, prompt: 'secret', calls: [call] });
    expect(JSON.stringify(run)).not.toContain('secret');
    expect(run.calls[0]).not.toHaveProperty('modelName');
  });

  const [call] = JSON_RUN.calls;
  it.each<[unknown, string]>([
    [null, 'the run'],
    [[], 'the run'],
    [{ ...JSON_RUN, id: '' }, 'id'],
    [{ ...JSON_RUN, agent_id: 7 }, 'agent_id'],
    [{ ...JSON_RUN, started_at: 'secret' }, 'started_at'],
    [{ ...JSON_RUN, ended_at: 'secret' }, 'ended_at'],
    [{ ...JSON_RUN, min_overlap_ms: 'secret' }, 'min_overlap_ms'],
    [{ ...JSON_RUN, calls: 'secret' }, 'calls'],
    [{ ...JSON_RUN, calls: [call, 'secret'] }, 'calls[1]'],
    [{ ...JSON_RUN, calls: [{ ...call, kind: 'secret' }] }, 'calls[0].kind'],
    [{ ...JSON_RUN, calls: [{ ...call, name: 7 }] }, 'calls[0].name'],
    [{ ...JSON_RUN, calls: [{ ...call, prompt_tokens: -1 }] }, 'calls[0].prompt_tokens'],
    // What JSON.parse makes of 1e999.
    [{ ...JSON_RUN, min_overlap_ms: Number.POSITIVE_INFINITY }, 'min_overlap_ms'],
    [{ ...JSON_RUN, calls: [{ ...call, scope: ['secret'] }] }, 'calls[0].scope'],
  ])('%# that is none is refused with the field, never with its value', (json, field) => {
    let message = '';
    try {
      parseRunRecord(json);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(field);
    expect(message).toMatch(/^TypeError/);
    expect(message).not.toContain('secret');
  });
});
