import { describe, expect, it } from 'vitest';
import { type Accounts, disagreements, type StoredRecord } from './agreement.js';

const record = (sequence: number): StoredRecord => ({
  recordId: `r${sequence}`,
  log: 'ingress-1/a',
  sequence,
  kind: 'call',
  upstream: 'known',
  tool: 'echo',
  decision: 'permit',
  outcome: 'success',
  refusal: null,
  personal: { arguments: { bytes: 14, value: { nonce: `n${sequence}` } } },
});
const STORED = [record(1), record(2), record(3)];
const IDS = STORED.map(({ recordId }) => recordId);
const SOUND: Accounts = {
  ledger: ['n1', 'n2', 'n3'].map((nonce) => ({ nonce, tool: 'echo' })),
  published: [...STORED, STORED[1]!, STORED[1]!, STORED[1]!],
  stored: STORED,
  exported: { elastic: IDS, syslog: [...IDS, 'r3'] },
};

describe('the accounts of what happened', () => {
  it('agree where a record was sent, and exported, more than once', () => {
    expect(disagreements(SOUND)).toEqual([]);
  });

  it.each<[string, Partial<Accounts>, RegExp]>([
    ['an act without a record', { ledger: [...SOUND.ledger, { nonce: 'n4', tool: 'echo' }] }, /n4 .* 0 records/],
    ['a success without an act', { ledger: SOUND.ledger.slice(1) }, /success r1/],
    ['a record that Kafka lost', { published: STORED.slice(0, 2) }, /Kafka: 1 of 3 records are missing: r3/],
    ['a gap in a log', { stored: [record(1), record(3)] }, /Postgres: .*3 where 2 belongs/],
    ['a record that is stored twice', { stored: [...STORED, record(3)] }, /4 records have 3 ids/],
    ['a record that a receiver lacks', { exported: { elastic: IDS.slice(1) } }, /elastic: 1 of 3 .*: r1/],
    ['a line of no record', { exported: { syslog: [...IDS, 'forged'] } }, /syslog: 1 that Postgres .* forged/],
  ])('disagree about %s', (_what, changed, text) => {
    expect(disagreements({ ...SOUND, ...changed }).join('\n')).toMatch(text);
  });
});
