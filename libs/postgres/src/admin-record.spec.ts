import { AuditRecord } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { adminRecordOf } from './admin-record.js';
import { recordIdOf } from './record-id.js';

const NOW_MS = 1_790_000_000_000;
const by = { principal: null, token: null, address: '' };
const recordId = recordIdOf(NOW_MS, (bytes) => new Uint8Array(bytes));
const place = { service: 'identity', node: 'n1', sequence: 3, recordId, occurredAtMs: NOW_MS };

describe('the record of an admin change', () => {
  it('is a record of the contract, under the number of its own log', () => {
    const record = adminRecordOf({ action: 'principal.create', by, arguments: { id: 'usr_1' } }, place);
    expect(AuditRecord.parse(record)).toEqual(record);
    expect(record).toMatchObject({ log: 'admin/identity', sequence: 3, method: 'admin/identity/principal.create' });
    expect(record.recordId).toBe('01a0c450-6c00-7000-8000-000000000000');
  });

  it('cuts arguments past 16 KiB, with their length and hash', () => {
    const record = adminRecordOf({ action: 'policy.replace', by, arguments: { text: 'é'.repeat(10_000) } }, place);
    expect(record.arguments).toMatchObject({ bytes: 20_011, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(AuditRecord.safeParse(record).success).toBe(true);
  });
});
