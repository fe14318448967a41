import { createTwoFilesPatch } from 'diff';

/** Lines around a change. */
const CONTEXT = 3;
/** Milliseconds that the comparison of two definitions may take; past them nothing is shown line by line. */
const DIFF_MS_MAX = 1_000;

/**
 * What changed between two definitions, as a unified diff of their JSON, members in order. Characters that show nothing or
 * turn the direction of writing are written as escapes, so that a hidden text is seen.
 * @returns undefined where it would take too long
 */
export function definitionDiff(before: string, after: string): string | undefined {
  const options = { context: CONTEXT, timeout: DIFF_MS_MAX };
  return createTwoFilesPatch('before', 'listed now', readable(before), readable(after), '', '', options);
}

/** JSON text in lines, its members in order, what cannot be seen escaped. */
export function readable(json: string): string {
  return `${asSeen(JSON.stringify(inOrder(JSON.parse(json)), null, 2))}\n`;
}

/** A text as it may be judged by: characters that show nothing or turn the direction of writing are escapes. */
export function asSeen(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}]/gu, escaped);
}

function escaped(character: string): string {
  if (character === '\n') return character;
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => [key, inOrder(member)]),
  );
}
