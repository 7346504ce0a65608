/** What a byte does beside moving on: it opens or closes a level, or goes on in one. */
export type Action = '{' | '[' | '}' | ']' | ',';

type Moves = readonly (readonly [bytes: string, next: string])[];

const SPACE = ' \t\r\n';
const DIGIT = '0123456789';
const HEX = `${DIGIT}abcdefABCDEF`;
/** All that stands in a string as it is, by bytes. */
const TEXT = Buffer.from(Array.from({ length: 256 - 32 }, (_, at) => 32 + at))
  .toString('latin1')
  .replace(/["\\]/g, '');

const VALUE: Moves = [
  ['"', 'text'],
  ['{', '{'],
  ['[', '['],
  ['-', 'minus'],
  ['0', 'zero'],
  [DIGIT.slice(1), 'integer'],
  ['t', 'true 1'],
  ['f', 'false 1'],
  ['n', 'null 1'],
];
const AFTER: Moves = [[SPACE, 'after'], ...[...'}],'].map((byte) => [byte, byte] as const)];
const POWER: Moves = [['eE', 'exponent']];
const PART: Moves = [['.', 'point'], ...POWER];

/** JSON (RFC 8259), as what may stand next and what comes then. A request is an object. */
const GRAMMAR: Readonly<Record<string, Moves>> = {
  start: [
    [SPACE, 'start'],
    ['{', '{'],
  ],
  value: [[SPACE, 'value'], ...VALUE],
  'first value': [[SPACE, 'first value'], [']', ']'], ...VALUE],
  name: [
    [SPACE, 'name'],
    ['"', 'name text'],
  ],
  'first name': [
    [SPACE, 'first name'],
    ['"', 'name text'],
    ['}', '}'],
  ],
  colon: [
    [SPACE, 'colon'],
    [':', 'value'],
  ],
  after: AFTER,
  minus: [
    ['0', 'zero'],
    [DIGIT.slice(1), 'integer'],
  ],
  zero: [...AFTER, ...PART],
  integer: [[DIGIT, 'integer'], ...AFTER, ...PART],
  point: [[DIGIT, 'fraction']],
  fraction: [[DIGIT, 'fraction'], ...AFTER, ...POWER],
  exponent: [
    ['+-', 'sign'],
    [DIGIT, 'power'],
  ],
  sign: [[DIGIT, 'power']],
  power: [[DIGIT, 'power'], ...AFTER],
  ...wordMoves('true'),
  ...wordMoves('false'),
  ...wordMoves('null'),
  ...textMoves('text', 'after'),
  ...textMoves('name text', 'colon'),
};

/** State 0 is none: what leads there is no JSON. */
const STATES = ['', ...Object.keys(GRAMMAR)];

/** What the numbers after those of the states stand for; undefined for a state. */
export const ACTIONS: readonly (Action | undefined)[] = [
  ...STATES.map(() => undefined),
  '{',
  '[',
  '}',
  ']',
  ',',
];

/** The number of the next state, or of an action, at state × 256 + byte. */
export const JSON_MOVES: Uint8Array = new Uint8Array(STATES.length * 256);

for (const [state, moves] of Object.entries(GRAMMAR)) {
  for (const [bytes, next] of moves) {
    const isState = next in GRAMMAR;
    const number = isState ? stateNumber(next) : ACTIONS.indexOf(next as Action);
    for (const byte of Buffer.from(bytes, 'latin1')) JSON_MOVES[stateNumber(state) * 256 + byte] = number;
  }
}

export function stateNumber(name: string): number {
  return STATES.indexOf(name);
}

function wordMoves(word: string): Record<string, Moves> {
  const letters = [...word.slice(1)];
  return Object.fromEntries(
    letters.map((letter, index) => {
      const next = index + 1 < letters.length ? `${word} ${index + 2}` : 'after';
      return [`${word} ${index + 1}`, [[letter, next]]];
    }),
  );
}

function textMoves(text: string, after: string): Record<string, Moves> {
  return {
    [text]: [
      [TEXT, text],
      ['"', after],
      ['\\', `${text} escape`],
    ],
    [`${text} escape`]: [
      ['"\\/bfnrt', text],
      ['u', `${text} hex 1`],
    ],
    [`${text} hex 1`]: [[HEX, `${text} hex 2`]],
    [`${text} hex 2`]: [[HEX, `${text} hex 3`]],
    [`${text} hex 3`]: [[HEX, `${text} hex 4`]],
    [`${text} hex 4`]: [[HEX, text]],
  };
}
