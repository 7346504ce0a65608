import { describe, expect, it } from 'vitest';
import { openTerminal } from '../../examples/demo/terminal.ts';

const ESCAPE = '\u001b';

/** What the demo would write to an output of this kind. */
function written(isTTY: boolean, env: Readonly<Record<string, string>>): string {
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  const terminal = openTerminal({ isTTY, columns: 72, write }, env);
  terminal.progress('at work');
  terminal.print(terminal.bold('done'));
  return text;
}

describe('the output of the demo', () => {
  it('has colours and shows progress on a terminal', () => {
    expect(written(true, {})).toMatch(/at work[\s\S]*done/);
    expect(written(true, {})).toContain(`${ESCAPE}[1mdone${ESCAPE}[22m`);
  });

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('has no colours with %o', (env) => {
    expect(written(true, env)).not.toContain(`${ESCAPE}[1m`);
  });

  it('is plain lines anywhere else', () => {
    expect(written(false, {})).toBe('done\n');
  });
});
