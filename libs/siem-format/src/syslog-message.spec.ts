import type { AuditRecord } from '@warder/contracts';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { WHOLE_RECORD } from './whole-record.scene.js';
import { type RecordFormat, recordLine, SYSLOG_BYTES_MIN, syslogMessage } from './syslog-message.js';

const FORMATS: readonly RecordFormat[] = ['cef', 'leef', 'ocsf', 'ecs'];

const long: AuditRecord = {
  ...WHOLE_RECORD,
  personal: { ...WHOLE_RECORD.personal!, arguments: { bytes: 100_016, value: { message: 'é'.repeat(50_000) } } },
};

describe('a syslog message', () => {
  it.each(FORMATS)('holds a record of usual size whole (%s)', (format) => {
    const message = syslogMessage({ format, record: WHOLE_RECORD, host: 'ingress-1' });
    expect(message).toBe(
      '<109>1 2026-09-21T14:13:20.000Z ingress-1 warder - call ' +
        '[warder@32473 recordId="0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10" log="ingress-1/0" sequence="42"] ' +
        recordLine(format, WHOLE_RECORD),
    );
  });

  it.each(FORMATS)('never exceeds its bytes, and says where and what the whole is (%s)', (format) => {
    const whole = recordLine(format, long);
    for (const bytesMax of [SYSLOG_BYTES_MIN, 7_168, 8_000]) {
      const message = syslogMessage({ format, record: long, host: 'ingress-1', bytesMax });
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(bytesMax);
      expect(message).toContain(
        `bytes="${Buffer.byteLength(whole)}" sha256="${createHash('sha256').update(whole).digest('hex')}" ` +
          'pointer="/admin/audit/calls/0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10"',
      );
    }
  });

  it('takes no bound in which ids and hashes would not fit', () => {
    expect(() => syslogMessage({ format: 'cef', record: long, host: 'a', bytesMax: 4_095 })).toThrow(RangeError);
  });
});
