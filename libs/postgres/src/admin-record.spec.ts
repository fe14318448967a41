import { createHash } from 'node:crypto';
import { AuditRecord } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { adminRecordOf } from './admin-record.js';
import { recordIdOf } from './record-id.js';

const NOW_MS = 1_790_000_000_000;
const by = { principal: null, token: null, address: '' };
const recordId = recordIdOf(NOW_MS, (bytes) => new Uint8Array(bytes));
const place = { service: 'identity', node: 'n1', sequence: 3, recordId, occurredAtMs: NOW_MS, salt: 'A'.repeat(22) };

describe('the record of an admin change', () => {
  it('is a record of the contract, under the number of its own log', () => {
    const record = adminRecordOf({ action: 'principal.create', by, arguments: { id: 'usr_1' } }, place);
    expect(AuditRecord.parse(record)).toEqual(record);
    expect(record).toMatchObject({ log: 'admin/identity', sequence: 3, method: 'admin/identity/principal.create' });
    expect(record.recordId).toBe('01a0c450-6c00-7000-8000-000000000000');
  });

  it('commits to the exact bytes of its personal object, which come last', () => {
    const record = adminRecordOf({ action: 'principal.create', by, arguments: { '2': 'b', '1': 'a' } }, place);
    const text = JSON.stringify(record);
    const [core, personal] = text.split(',"personal":') as [string, string];
    expect(core).toContain(createHash('sha256').update(personal.slice(0, -1)).digest('hex'));
    expect(JSON.stringify(AuditRecord.parse(record))).toBe(text);
  });

  it('holds no character that no store takes, and nothing that only looks like one', () => {
    const given = { a: 'x\u0000\ud800y', b: '\\u0000', 'k\u0000': 1 };
    const { personal } = adminRecordOf({ action: 'call.list', by, arguments: given }, place);
    expect(personal?.arguments).toMatchObject({ value: { a: 'x\ufffd\ufffdy', b: '\\u0000', 'k\ufffd': 1 } });
  });

  it('says that an act was refused, and whether whoever asked had a right to it', () => {
    const refusal = { code: 'WDR_ROLE_MISSING', detail: 'needs one of: admin', isForbidden: true };
    const action = { action: 'request.refuse', by, arguments: {}, refusal, count: 3 };
    const record = AuditRecord.parse(adminRecordOf(action, place));
    expect(record).toMatchObject({ kind: 'admin', decision: 'forbid', outcome: 'failure', count: 3 });
    expect(record).toMatchObject({ refusal: { code: refusal.code }, personal: { refusalDetail: refusal.detail } });
  });

  it('names a program that acts without being a principal, and how it was told apart', () => {
    const directory = { ...by, client: { name: 'okta', by: 'scim' } };
    const record = AuditRecord.parse(adminRecordOf({ action: 'x.y', by: directory, arguments: {} }, place));
    expect([record.principal, record.agent, record.verified]).toEqual([null, null, { client: 'okta', by: 'scim' }]);
  });

  it('cuts arguments past 16 KiB, with their length and hash', () => {
    const record = adminRecordOf({ action: 'policy.replace', by, arguments: { text: 'é'.repeat(10_000) } }, place);
    expect(record.personal?.arguments).toMatchObject({
      bytes: 20_011,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(AuditRecord.safeParse(record).success).toBe(true);
  });
});
