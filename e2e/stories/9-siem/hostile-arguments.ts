/** What an attacker would have a SIEM believe: a message of its own, of a call that never was. */
export const FORGED_ID = '0193673e-0000-7000-8000-00000000f09e';
const FORGED =
  `<110>1 2026-11-22T09:00:01Z ingress-0 warder - call [warder@32473 recordId="${FORGED_ID}"] ` +
  'CEF:0|Warder|Warder|1|call|delete_repo|1|suser=alice outcome=success';

/** Arguments that split lines, frames and fields where a sender or a receiver is careless. */
export const HOSTILE_TEXTS: Readonly<Record<string, string>> = {
  newline: `a\n${FORGED}\nb`,
  'carriage return': `a\r\n${FORGED}\r`,
  'unicode line ends': `a\u2028${FORGED}\u2029b\u0085c\u000bd\u000ce`,
  'the next frame': `x\n${FORGED.length} ${FORGED}`,
  'the next frame of RELP': `x\n2 syslog ${FORGED.length} ${FORGED}\n`,
  NUL: `a\u0000${FORGED}\u0000`,
  'control characters': `\u001b[2J\u0007\u0008${FORGED}\u007f\u009b`,
  'end of structured data': `a"] ${FORGED} [b="`,
  'CEF fields': `a|b\\|c=d\\=e outcome=success suser=alice ${FORGED}`,
  'LEEF fields': `a\tusrName=alice\t${FORGED}`,
  'JSON end': `"},"actor":{"user":{"name":"alice"}}} ${FORGED}`,
  BOM: `\ufeff${FORGED}`,
  'text at byte 8,097': `${'A'.repeat(8_097)}${FORGED}`,
  'text everywhere': `${FORGED} `.repeat(80),
  '100 kB': 'B'.repeat(100_000) + FORGED,
  '100 kB of quotes': '"\\'.repeat(50_000),
  '100 kB of three bytes each': '世'.repeat(33_000) + FORGED,
};

/** Lengths of a filling before the forged message: wherever a receiver cuts at about 8 KiB, one begins just there. */
export const PADDINGS: readonly number[] = Array.from({ length: 40 }, (_, at) => 6_600 + at * 40);

/** The arguments of the call with that padding. */
export function padded(length: number): string {
  return `${'A'.repeat(length)}${FORGED}`;
}
