import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AuditRecord } from './audit-record.js';
import { quickCheck } from './quick-check.js';
import { auditRecordedTopic } from './topics/audit-recorded.js';

const passes = quickCheck(AuditRecord);
const finding = { detector: 'd', category: 'pii', action: 'flag', phase: 'request', place: '/a', count: 1 } as const;
const { personal, ...rest } = auditRecordedTopic.example;
const cut = { bytes: 20_000, head: '{', sha256: 'a'.repeat(64) };

/** Records of every form, no member of which is absent or empty. */
const RECORDS: readonly AuditRecord[] = [
  { ...rest, index: 0, findings: [finding], actorChain: [{ id: 'a', kind: 'k' }], personal },
  {
    ...rest,
    verified: { client: 'c', by: 'mtls' },
    refusal: { code: 'WDR_TOOL_UNKNOWN' },
    traceId: 't',
    personal: { ...personal!, arguments: cut, result: { bytes: 3, sha256: 'b' }, refusalDetail: 'd' },
  },
  { ...rest, principal: null, agent: null, upstream: null, personal: { ...personal!, result: { bytes: 3 } } },
  { ...rest, personal: null },
];

/** What stands in the place of each value in turn. */
const OTHERS: readonly unknown[] = [
  undefined,
  null,
  true,
  '',
  'x',
  'call',
  'permit',
  'A'.repeat(22),
  0,
  1,
  2,
  -1,
  0.5,
  1e300,
  Infinity,
  [],
  [null],
  ['x'],
  {},
  { id: 1 },
  { bytes: 1 },
  { bytes: 0.5 },
  { bytes: 1, value: null },
  { bytes: 1, head: 1, sha256: 'x' },
  'f'.repeat(64),
  '00000000-0000-0000-0000-000000000000',
  '0193673e-7c1f-9d5e-8a55-2f0a1b6c9d10',
];

function* changed(value: unknown): Generator<unknown> {
  yield* OTHERS;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    for (const other of changed(member)) {
      const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
      if (other === undefined && !Array.isArray(value)) delete copy[key];
      else copy[key] = other;
      yield copy;
    }
  }
}

describe('the quick check of a record', () => {
  it('lets through every form of a record, with members that it does not know', () => {
    for (const record of RECORDS) {
      expect(AuditRecord.safeParse(record).success).toBe(true);
      expect(passes(record)).toBe(true);
      expect(passes({ ...record, later: [1] })).toBe(true);
    }
  });

  it('says the same as the schema of thousands of records with one value changed', () => {
    const counts = { accepted: 0, refused: 0 };
    const judgedOtherwise: unknown[] = [];
    for (const record of RECORDS) {
      for (const other of changed(record)) {
        const { success } = AuditRecord.safeParse(other);
        if (passes(other) !== success) judgedOtherwise.push(other);
        counts[success ? 'accepted' : 'refused']++;
      }
    }
    expect(judgedOtherwise).toEqual([]);
    expect(counts.accepted).toBeGreaterThan(500);
    expect(counts.refused).toBeGreaterThan(3_000);
  });

  it('takes no member for one that every object inherits', () => {
    const named = z.object({ constructor: z.unknown(), valueOf: z.unknown() });
    expect(quickCheck(named)({})).toBe(false);
    expect(quickCheck(named)(JSON.parse('{"constructor":1,"valueOf":2}'))).toBe(true);
  });

  it.each([
    ['a discriminated union', z.discriminatedUnion('a', [z.object({ a: z.literal(1) })])],
    ['a strict object', z.strictObject({ a: z.string() })],
    ['a length', z.string().max(3)],
    ['a dictionary of some names', z.record(z.enum(['a']), z.string())],
  ])('is not made of %s, which it does not know to test', (_what, schema) => {
    expect(() => quickCheck(schema)).toThrow('no quick check');
  });
});
