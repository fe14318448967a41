/** A small generator of repeatable numbers (mulberry32), so that every run sends and answers the same bytes. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WORDS =
  `the of and to in is that for it with as on by this are from at or be an which service request issue branch release
build failed tests queue worker database index table column query latency budget review merge comment author label status open
closed pending customer region cluster node memory limit deploy rollback version config schema field value default time zone
report week month quarter total average change owner team repository commit file path line function method class argument
result error message retry timeout cache entry policy group member access document section page search filter sort order
London Berlin Madrid invoice shipment product stock price sensor reading weather wind rain cloud sample batch job run step`.split(
    /\s+/,
  );

/**
 * Ordinary prose with numbers, dates and punctuation, ASCII only.
 * @param chars - its exact length
 */
export function prose(random: () => number, chars: number): string {
  let text = '';
  while (text.length < chars) {
    const sentence = Array.from({ length: 6 + Math.floor(random() * 12) }, () => {
      const kind = random();
      if (kind < 0.06) return String(Math.floor(random() * 10_000));
      if (kind < 0.08) return `2026-0${1 + Math.floor(random() * 9)}-1${Math.floor(random() * 10)}`;
      return WORDS[Math.floor(random() * WORDS.length)] ?? '';
    }).join(' ');
    text += `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${random() < 0.2 ? '.\n' : '. '}`;
  }
  return text.slice(0, chars);
}
