/**
 * Source of a look-behind: no letter or digit stands before. The letter of an escape does not count, for answers are
 * full of texts within texts (`"line one\\nline two"`).
 */
export const WORD_START = String.raw`(?<!(?:^|[^\\])[A-Za-z0-9])`;
