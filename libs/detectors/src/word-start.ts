/** Source of a look-behind: an escape of one character has just ended (`%3D`, `\\x3d`, `\\u003d`). */
export const AFTER_ESCAPE = String.raw`(?<=%[A-Fa-f0-9]{2}|\\x[A-Fa-f0-9]{2}|\\u[A-Fa-f0-9]{4})`;

/**
 * Source of a look-behind: no letter or digit stands before. Those of an escape do not count, for answers are full of
 * texts within texts (`"line one\\nline two"`, `?next=%2Fcard%3D`).
 */
export const WORD_START = String.raw`(?:(?<!(?:^|[^\\])[A-Za-z0-9])|${AFTER_ESCAPE})`;

const PERCENT = 37;
const BACKSLASH = 92;
const PERCENT_LENGTH = 3;
const ESCAPE_LENGTHS: Readonly<Record<string, number>> = { x: 4, u: 6 };
const ESCAPE_LENGTH_MAX = 6;

/** Characters from `at` on that belong to an escape which began before: 0 where one just ended, undefined for none. */
export function restOfEscape(text: string, at: number): number | undefined {
  for (let back = 1; back <= ESCAPE_LENGTH_MAX && back <= at; back += 1) {
    const code = text.charCodeAt(at - back);
    if (code !== PERCENT && code !== BACKSLASH) continue;
    const length = code === PERCENT ? PERCENT_LENGTH : (ESCAPE_LENGTHS[text[at - back + 1] ?? ''] ?? 0);
    return length < back ? undefined : length - back;
  }
  return undefined;
}
