/** Characters of one key that a pointer shows; a longer key is cut. */
const KEY_CHARS_MAX = 64;
/** Characters after which a pointer ends, for a record holds a hundred of them. */
const POINTER_CHARS_MAX = 256;

/** A JSON pointer to `keys`, each and all of them cut to a length that a record can bear. @see RFC 6901 */
export function jsonPointer(keys: readonly (string | number)[]): string {
  let pointer = '';
  for (const key of keys) {
    if (pointer.length >= POINTER_CHARS_MAX) return `${pointer}/…`;
    const text = String(key);
    const shown =
      text.length > KEY_CHARS_MAX
        ? `${Array.from(text.slice(0, KEY_CHARS_MAX * 2))
            .slice(0, KEY_CHARS_MAX)
            .join('')}…`
        : text;
    pointer += `/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return pointer;
}
