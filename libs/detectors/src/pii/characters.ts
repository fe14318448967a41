export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isAsciiLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;
/** ASCII letters and digits, and the accented letters of Latin scripts. */
export const isLetterOrDigit = (code: number): boolean =>
  isDigit(code) || isAsciiLetter(code) || (code >= 0xc0 && code <= 0x24f);
