const JSON_PATH = '(?:the request|(?:resource|scope|Spans|spans|instrumentationLibrary|[.]|\\[\\d+\\])+)';

/** All that a decoder may say of a body that it refuses: the words are its own, and none of them is the body's. */
export const KNOWN_FAULT = new RegExp(
  `^(?:${[
    'a field is longer than the message that holds it',
    'a number does not end where it must',
    'the message ends inside a field',
    'a field has the number 0, which no field may have',
    'a field number is too large',
    'there is no wire type [67]',
    'a group ends that did not begin',
    'groups are nested too deep',
    'expected (?:more )?JSON',
    'expected (?:a value|"," or "[\\]}]"|":"|a name in double quotes|the end|a valid escape|the end of a string)',
    'expected (?:no control character in a string|at most 1000 levels)',
    `expected (?:a ResourceSpans|a ScopeSpans|${JSON_PATH}(?: to be an? (?:object|list))?)`,
  ].join('|')})(?: \\(byte \\d+\\))?$`,
);
