import type { AuditRecord } from '@warder/contracts';
import { ocsfFaults, type OcsfSchema, resolveOcsfSchema } from '@warder/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { generatedRecord, KINDS } from './generated-record.scene.js';
import { jsonLine } from './harmless-text.js';
import { ocsfEvent } from './ocsf-event.js';
import { parseRecord } from './parse-record.js';
import { shortenRecord } from './shorten-record.js';
import type { RecordNotes } from './record-notes.js';
import { WHOLE_RECORD } from './whole-record.scene.js';

// One of these computes for seconds where nothing else does.
vi.setConfig({ testTimeout: 120_000 });

let schema: OcsfSchema;
beforeAll(async () => {
  schema = await resolveOcsfSchema();
}, 320_000);

const NOTES: RecordNotes = {
  leafHash: 'ab'.repeat(32),
  cut: { bytes: 20_000, sha256: 'cd'.repeat(32), pointer: '/admin/audit/calls/x' },
};

function received(record: AuditRecord, notes?: RecordNotes): Record<string, unknown> {
  return JSON.parse(jsonLine(ocsfEvent(record, notes))) as Record<string, unknown>;
}

describe('an OCSF event', () => {
  it.each(KINDS)('of a record of kind %s is one of the published schema', (kind) => {
    for (const personal of [WHOLE_RECORD.personal, null]) {
      expect(ocsfFaults(schema, received({ ...WHOLE_RECORD, kind, personal }))).toEqual([]);
    }
  });

  it('of any record is one of the published schema, whole, cut and erased', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const record = generatedRecord(seed);
      expect([`seed ${seed}`, ocsfFaults(schema, received(record))]).toEqual([`seed ${seed}`, []]);
      expect([`seed ${seed}, cut`, ocsfFaults(schema, received(shortenRecord(record, 0), NOTES))]).toEqual([
        `seed ${seed}, cut`,
        [],
      ]);
      expect([`seed ${seed}, erased`, ocsfFaults(schema, received({ ...record, personal: null }, NOTES))]).toEqual([
        `seed ${seed}, erased`,
        [],
      ]);
    }
  });

  it('names each kind’s class', () => {
    const classes = Object.fromEntries(KINDS.map((kind) => [kind, ocsfEvent({ ...WHOLE_RECORD, kind }).type_uid]));
    expect(classes).toEqual({
      call: 600_399,
      list: 600_302,
      session: 600_399,
      authentication: 300_201,
      protocol: 600_300,
      admin: 300_403,
      query: 600_302,
      export: 100_803,
      erasure: 100_802,
      gap: 100_899,
    });
  });

  it('stands above informational where something was denied, blocked, lost or is not known', () => {
    const severity = (change: Partial<AuditRecord>): unknown =>
      ocsfEvent({ ...WHOLE_RECORD, findings: [], ...change }).severity_id;
    const finding = { ...WHOLE_RECORD.findings[0]! };
    expect(severity({})).toBe(1);
    expect(severity({ isError: true })).toBe(2);
    expect(severity({ findings: [finding] })).toBe(2);
    expect(severity({ decision: 'forbid', outcome: 'failure' })).toBe(3);
    expect(severity({ outcome: 'unknown' })).toBe(3);
    expect(severity({ findings: [{ ...finding, action: 'block' }] })).toBe(4);
    expect(severity({ kind: 'gap' })).toBe(4);
  });

  it('says what a guardrail did', () => {
    const event = received({ ...WHOLE_RECORD, findings: [{ ...WHOLE_RECORD.findings[0]!, action: 'block' }] });
    expect(event).toMatchObject({
      action_id: 2,
      disposition_id: 2,
      policy: { uid: 'guardrails', version: '3' },
      firewall_rule: { uid: 'email', category: 'pii', match_location: 'request /message' },
    });
  });

  it('keeps numbers that a double cannot hold, to the digit', () => {
    const text = JSON.stringify(WHOLE_RECORD).replace('"hi"', '12345678901234567890');
    const line = jsonLine(ocsfEvent(parseRecord(text)));
    expect(line).toContain('"data":{"message":12345678901234567890}');
  });

  it('leaves out every personal word once it was erased, and the salt always', () => {
    expect(jsonLine(ocsfEvent(WHOLE_RECORD))).not.toContain('c2FsdHNhbHRzYWx0c2FsdA');
    const line = jsonLine(ocsfEvent({ ...WHOLE_RECORD, personal: null }));
    for (const word of ['Ana', 'ana@', 'laptop', 'claude-code', '10.1.2.3', '"hi"', 'Echo']) {
      expect(line).not.toContain(word);
    }
  });
});
