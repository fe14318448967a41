import type { AuditRecord, Capture, PersonalPart } from '@warder/contracts';

/** A sequence of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const FORGED_SYSLOG = '<110>1 2026-11-22T09:00:01Z ingress-0 warder 1 call - {"user":"alice","decision":"permit"}';
const FORGED_CEF = 'CEF:0|Warder|Warder|0.1.0|call.permitted|Tool call permitted|2|suser=alice';

/** Texts that forge something wherever one character is left as it is. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  'plain',
  `\n${FORGED_SYSLOG}`,
  `\r\n${FORGED_CEF}`,
  `\u2028${FORGED_SYSLOG}\u2029`,
  `\u0085${FORGED_SYSLOG}`,
  `x suser=alice act=permit`,
  `x\\ suser=alice`,
  `x\\= suser=alice`,
  'back\\slash\\',
  'pipe|pipe|9|src=10.9.9.9',
  '^usrName=alice^decision=permit',
  '\tusrName=alice\tdecision=permit',
  '"] [warder@32473 recordId="forged"] forged',
  '"}},"decision":"permit","x":{"y":"',
  '\\"}\\u0022',
  'nul\u0000nul',
  '\u0007\u001b[2J\u007f\u009b31m',
  '\ufeffbom',
  '\ud800lone\udfff',
  '💣'.repeat(40),
  '‮evil',
  '__proto__',
  '99',
  'null',
  `${'A'.repeat(8_097)}${FORGED_SYSLOG}`,
];

/** 100 kB, each character of which takes an escape or two bytes. */
export const LONG_TEXT = 'é"\\\n^=|]'.repeat(11_112);

export const KINDS = [
  'call',
  'list',
  'session',
  'authentication',
  'protocol',
  'admin',
  'query',
  'export',
  'erasure',
  'gap',
] as const;

/** One record, any of all that a schema lets be; the same for the same seed. */
export function generatedRecord(seed: number): AuditRecord {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const text = (): string => pick(HOSTILE_TEXTS);
  const maybe = <T>(make: () => T): T | null => (random() < 0.3 ? null : make());
  const list = <T>(make: () => T): T[] => Array.from({ length: Math.floor(random() * 4) }, make);
  const hash = (): string => Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('');
  const decision = pick(['permit', 'forbid'] as const);
  const value = (): unknown =>
    pick([
      text(),
      random() < 0.1 ? LONG_TEXT : '',
      { [text()]: text(), list: list(text) },
      list(text),
      null,
      1e300,
      true,
    ]);
  const capture = (): Capture =>
    pick([
      { bytes: 12, value: value() },
      { bytes: 20_000, head: `{"a":${JSON.stringify(text())}`.slice(0, 4_096), sha256: hash() },
      { bytes: 12, sha256: hash() },
      { bytes: 0 },
    ]);
  const personal = (): PersonalPart => ({
    salt: 'c2FsdHNhbHRzYWx0c2FsdA',
    principal: maybe(() => ({ name: text(), email: maybe(() => pick(['ana@example.com', text()])) })),
    agent: maybe(() => ({ name: text() })),
    claimed: maybe(() => ({ name: text(), version: text() })),
    address: pick(['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1', '1.2.3.256', text()]),
    arguments: maybe(capture),
    refusalDetail: maybe(text),
    result: maybe(capture),
  });
  const finding = () => ({
    detector: text(),
    category: pick(['secret', 'pii', 'injection', 'hidden'] as const),
    action: pick(['flag', 'redact', 'block'] as const),
    phase: pick(['request', 'interim', 'response'] as const),
    place: `/${text()}`,
    count: 1 + Math.floor(random() * 9),
  });
  return {
    log: pick(['ingress-1/0', 'admin/identity']),
    sequence: 1 + Math.floor(random() * 1e9),
    ...(random() < 0.5 && { index: Math.floor(random() * 1e9) }),
    commitment: hash(),
    schemaVersion: 2,
    recordId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
    kind: pick(KINDS),
    occurredAtMs: pick([1_790_000_000_000, 0, 1_790_000_000_000.5, -1, 8.7e15]),
    node: pick(['ingress-1', text()]),
    principal: maybe(() => ({ id: `usr_${text()}`, kind: pick(['human', 'service', text()]), groups: list(text) })),
    actorChain: list(() => ({ id: text(), kind: text() })),
    agent: maybe(() => ({ id: text(), kind: 'pat' })),
    verified: maybe(() => ({ client: text(), by: text() })),
    traceId: maybe(text),
    method: pick(['tools/call', 'tools/list', 'initialize', 'admin/identity/token.revoke', text()]),
    protocolVersion: maybe(text),
    virtualServer: maybe(text),
    upstream: maybe(text),
    tool: maybe(text),
    exposedName: maybe(text),
    definitionHash: maybe(hash),
    policyVersion: maybe(() => Math.floor(random() * 1e6)),
    guardrailsVersion: maybe(() => Math.floor(random() * 1e6)),
    rule: maybe(text),
    capture: pick(['none', 'metadata', 'hashes', 'request', 'full'] as const),
    decision,
    outcome: pick(['success', 'failure', 'unknown'] as const),
    refusal: maybe(() => ({ code: 'WDR_TOOL_UNKNOWN' })),
    isError: random() < 0.2,
    findings: list(finding),
    phasesUs: pick<Record<string, number>>([{}, { total: 1_234.5 }, { identify: 3, total: 0 }]),
    count: 1 + Math.floor(random() * 100),
    personal: maybe(personal),
  };
}
