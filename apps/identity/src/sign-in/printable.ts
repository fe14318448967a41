/** Text from a provider as it can be shown and kept: on one line, 200 characters at most. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}]/gu, ' ').slice(0, 200);
}
