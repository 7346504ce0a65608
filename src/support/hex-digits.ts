/** Set in the value of what is no hex digit. */
export const NO_DIGIT = 16;

/** The value of each hex digit, of either case, by its character code; NO_DIGIT for other characters up to 255. */
export const HEX_VALUES = new Uint8Array(256).fill(NO_DIGIT);

for (let value = 0; value < 16; value++) {
  HEX_VALUES[value.toString(16).charCodeAt(0)] = value;
  HEX_VALUES[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}
