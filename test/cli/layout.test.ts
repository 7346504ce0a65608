import { describe, expect, it } from 'vitest';
import { formatPlan } from '../../src/cli/plan-table.ts';
import { Progress } from '../../src/cli/progress.ts';
import { styleOf } from '../../src/cli/style.ts';
import { formatTable } from '../../src/cli/table.ts';
import { formatTimeline } from '../../src/cli/timeline.ts';
import { formatDuration, listed, toolsOf } from '../../src/cli/wording.ts';
import type { CallRecord, RunRecord } from '../../src/model/run-record.ts';
import type { Time } from '../../src/model/time.ts';
import { timeFromMillis } from '../support/times.ts';
import { capturedOutputs } from './captured-outputs.ts';

const PLAIN = styleOf(false);
const at = (millis: number): Time => timeFromMillis(1_795_350_000_000 + millis);

function call(kind: 'tool' | 'llm', name: string, from: number, to: number | undefined): CallRecord {
  return { kind, name, startedAt: at(from), ...(to !== undefined && { endedAt: at(to) }) };
}

function runOf(...calls: readonly CallRecord[]): RunRecord {
  return { id: 'run', agentId: 'agent', startedAt: at(0), endedAt: at(480), calls };
}

describe('a timeline', () => {
  it('has a row for each call, model calls fainter, open ones running on', () => {
    const run = runOf(
      call('llm', 'chat', 0, 100),
      call('tool', 'search', 100, 300),
      call('tool', 'a tool with a name that is much too long', 100, 101),
      call('tool', '検索', 300, undefined),
    );
    expect(formatTimeline(run, PLAIN).join('\n')).toMatchInlineSnapshot(`
      "run  2026-11-22 12:20 UTC, 480 ms, 3 tool calls, 1 model call
        chat                          ░░░░░░░░░░······································  100 ms
        search                        ··········████████████████████··················  200 ms
        a tool with a name that is …  ··········█·····································    1 ms
        検索                          ······························█████████████████▶    open"
    `);
  });

  it('keeps its width whatever the times are', () => {
    const runs = [
      runOf(call('tool', 'a', 0, 480), call('tool', 'b', 480, 480)),
      runOf(call('tool', 'before', -500, -400), call('tool', 'after', 900, 1_000)),
      runOf(call('tool', 'backwards', 200, 100)),
      { ...runOf(call('tool', 'instant', 0, 0)), endedAt: at(0) },
      runOf(),
    ];
    for (const run of runs) {
      for (const line of formatTimeline(run, PLAIN).slice(1))
        expect(line.match(/[·█░▶]+/)?.[0]).toHaveLength(48);
    }
  });

  it('lets calls that follow each other share no column', () => {
    const [, first = '', second = ''] = formatTimeline(
      runOf(call('tool', 'a', 0, 205), call('tool', 'b', 205, 480)),
      PLAIN,
    );
    expect(first.lastIndexOf('█') + 1).toBe(second.indexOf('█'));
  });
});

describe('a plan', () => {
  const group = (id: string, ...names: string[]) => ({ group_id: id, tool_names: names });
  const plan = {
    agent_id: 'agent',
    parallel_groups: [
      group('1', 'a', 'b'),
      group('2', 'a', 'b', 'b'),
      group('3', ...Array.from({ length: 9 }, (_, index) => `a_tool_of_some_length_${index}`)),
    ],
    metadata_template: { run_id: 'r', agent_id: 'agent', parallel_hints: [], extensions: {} },
  };
  const support = [
    { groupId: '2', toolNames: ['a', 'b', 'b'], runs: 1_200, firstSeen: at(0), lastSeen: at(0) },
  ];

  it('fits the terminal, and says where another runtime saw what spanplan did not', () => {
    const { out } = capturedOutputs({ NO_COLOR: '1' }, true);
    const lines = formatPlan('agent', plan, support, out);
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "agent
         RUNS  LAST SEEN             TOOLS AT THE SAME TIME
        1,200  2026-11-22 12:20 UTC  a + b ×2
            –  –                     a_tool_of_some_length_0 +
                                     a_tool_of_some_length_1 +
                                     a_tool_of_some_length_2 +
                                     a_tool_of_some_length_3 +
                                     a_tool_of_some_length_4 +
                                     a_tool_of_some_length_5 +
                                     a_tool_of_some_length_6 +
                                     a_tool_of_some_length_7 +
                                     a_tool_of_some_length_8
        and 1 smaller set inside of these"
    `);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('a table', () => {
  it('pads by what is seen, not by escape codes or characters', () => {
    const style = styleOf(true);
    const rows = [
      [{ text: '検索', paint: style.bold }, { text: 'x' }],
      [{ text: 'find' }, { text: 'y' }],
    ];
    expect(formatTable([{}, {}], rows, style)).toEqual(['  \x1b[1m検索\x1b[22m  x', '  find  y']);
  });
});

describe('progress', () => {
  it('is shown on a terminal only, and taken away in the end', () => {
    const terminal = capturedOutputs({}, true);
    const progress = new Progress(terminal.err);
    progress.show(() => 'file 1 of 2');
    progress.show(() => 'too soon for another');
    progress.clear();
    expect(terminal.stderr).toBe('\r\x1b[2mfile 1 of 2\x1b[22m\x1b[K\r\x1b[K');
    const pipe = capturedOutputs({ FORCE_COLOR: '1' });
    new Progress(pipe.err).show(() => 'file 1 of 2');
    expect(pipe.stderr).toBe('');
  });
});

describe('words', () => {
  it.each([
    [400_000, '0.4 ms'],
    [346_877_000, '347 ms'],
    [999_600_000, '1 s'],
    [1_240_000_000, '1.24 s'],
    [59_970_000_000, '1 min 0 s'],
    [125_000_000_000, '2 min 5 s'],
    [5_400_000_000_000, '1 h 30 min'],
  ])('%i ns are %s', (nanos, text) => {
    expect(formatDuration(nanos)).toBe(text);
  });

  it('lists names, and of many how many more', () => {
    expect(listed(['a'])).toBe('a');
    expect(listed(['a', 'b', 'c'])).toBe('a, b and c');
    expect(listed(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
    expect(toolsOf(['a', 'b', 'b'])).toEqual(['a', 'b ×2']);
  });
});
