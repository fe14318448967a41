import type { AuditRecord } from '@warder/contracts';
import { ocsfFaults, type OcsfSchema, resolveOcsfSchema } from '@warder/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { cefMessage } from './cef-message.js';
import { eventCode, eventName } from './event-name.js';
import { generatedRecord, HOSTILE_TEXTS, LONG_TEXT } from './generated-record.scene.js';
import { leefMessage } from './leef-message.js';
import { RECORD_FIELDS } from './record-fields.js';
import { parseCef, parseLeef, parseSyslog } from './strict-parsers.scene.js';
import { type RecordFormat, recordLine, SYSLOG_BYTES_MIN, syslogMessage } from './syslog-message.js';
import { WHOLE_RECORD } from './whole-record.scene.js';

const FORMATS: readonly RecordFormat[] = ['cef', 'leef', 'ocsf', 'ecs'];
const SEEDS = Array.from({ length: 120 }, (_, index) => index + 1);
// They compute for seconds where nothing else does.
vi.setConfig({ testTimeout: 120_000 });

const UNSAFE = /[\p{Cc}\p{Surrogate}\u2028\u2029\ufeff]/u;

/** Character by character, as the docstrings have it: not the code that is tested. */
const replaced = (text: string, kept = ''): string =>
  Array.from(text, (one) => (UNSAFE.test(one) && !kept.includes(one) ? '\ufffd' : one)).join('');

const fieldsOf = (record: AuditRecord, key: 'cef' | 'leef'): [key: string, value: string, isJson: boolean][] =>
  RECORD_FIELDS.flatMap((field) => {
    const value = field.read(record, {});
    return value === null || value === undefined || value === ''
      ? []
      : [[field[key], String(value), field.json === true]];
  });

/** A call with the text wherever a caller, a client, an upstream or an administrator may put one. */
const holding = (text: string): AuditRecord => ({
  ...WHOLE_RECORD,
  node: text,
  method: text,
  virtualServer: text,
  upstream: text,
  tool: text,
  exposedName: text,
  rule: text,
  traceId: text,
  principal: { id: text, kind: text, groups: [text, text] },
  actorChain: [{ id: text, kind: text }],
  verified: { client: text, by: text },
  findings: [{ ...WHOLE_RECORD.findings[0]!, detector: text, place: text }],
  personal: {
    ...WHOLE_RECORD.personal!,
    principal: { name: text, email: text },
    agent: { name: text },
    claimed: { name: text, version: text },
    address: text,
    arguments: { bytes: 1, value: { [text]: text } },
    refusalDetail: text,
    result: { bytes: 1, head: text, sha256: 'ab'.repeat(32) },
  },
});

const RECORDS: readonly (readonly [string, AuditRecord])[] = [
  ...SEEDS.map((seed) => [`seed ${seed}`, generatedRecord(seed)] as const),
  ...HOSTILE_TEXTS.map((text) => [JSON.stringify(text.slice(0, 40)), holding(text)] as const),
  ['100 kB', { ...WHOLE_RECORD, personal: { ...WHOLE_RECORD.personal!, arguments: { bytes: 1, value: LONG_TEXT } } }],
];

/** The record's id as a receiver of the format finds it. */
function recordIdIn(format: RecordFormat, message: string): unknown {
  if (format === 'cef') return parseCef(message).fields.get('externalId');
  if (format === 'leef') return parseLeef(message).fields.get('recordId');
  const { metadata, event } = JSON.parse(message) as { metadata?: { uid: string }; event?: { id: string } };
  return metadata?.uid ?? event?.id;
}

describe('a hostile text', () => {
  it.each(FORMATS)('makes no line and no control character (%s)', (format) => {
    for (const [name, record] of RECORDS)
      expect([name, UNSAFE.test(recordLine(format, record))]).toEqual([name, false]);
  });

  it('forges no field of CEF, and stands there as it was', () => {
    for (const [name, record] of RECORDS) {
      const { header, fields } = parseCef(cefMessage(record));
      const severity = header[6];
      expect([name, header]).toEqual([
        name,
        ['CEF:0', 'Warder', 'Warder', '0.1.0', eventCode(record), eventName(record), severity],
      ]);
      const labels = RECORD_FIELDS.filter(({ cef, cefLabel }) => cefLabel !== undefined && fields.has(cef));
      const expected = new Map([
        ...fieldsOf(record, 'cef').map(([key, value]) => [key, replaced(value, '\r\n')] as const),
        ...labels.map(({ cef, cefLabel }) => [`${cef}Label`, cefLabel!] as const),
      ]);
      expect([name, fields]).toEqual([name, expected]);
    }
  });

  it('forges no field of LEEF, and stands there as far as the format can hold it', () => {
    for (const [name, record] of RECORDS) {
      const { header, fields } = parseLeef(leefMessage(record));
      expect([name, header]).toEqual([name, ['LEEF:2.0', 'Warder', 'Warder', '0.1.0', eventCode(record), '^']]);
      const expected = fieldsOf(record, 'leef').map(([key, value, isJson]) => {
        return [key, replaced(value).replaceAll('^', isJson ? '\\u005e' : '\ufffd')] as const;
      });
      expect([name, fields]).toEqual([name, new Map([['sev', fields.get('sev')], ...expected])]);
    }
  });

  it('stands in JSON of CEF and LEEF to the character', () => {
    const value = { 'a^b': 'x=\\"|^\n\u2028', list: ['\t'] };
    const record = holding('plain');
    record.personal!.arguments = { bytes: 1, value };
    expect(JSON.parse(parseCef(cefMessage(record)).fields.get('cs4')!)).toEqual(value);
    expect(JSON.parse(parseLeef(leefMessage(record)).fields.get('arguments')!)).toEqual(value);
  });

  it.each(['ocsf', 'ecs'] as const)('stands in %s to the character, but for NUL and half of a pair', (format) => {
    for (const text of HOSTILE_TEXTS) {
      const found = JSON.parse(recordLine(format, holding(text))) as {
        unmapped?: { findings: { place: string }[] };
        warder?: { findings: { place: string }[] };
      };
      const expected = text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
      expect((found.unmapped ?? found.warder)!.findings[0]!.place).toBe(expected);
    }
  });

  it.each(FORMATS)(
    'forges nothing in a syslog message, and is cut inside of values where it is long (%s)',
    (format) => {
      for (const [name, record] of RECORDS) {
        for (const bytesMax of [SYSLOG_BYTES_MIN, 7_168]) {
          const text = syslogMessage({ format, record, host: `a host\n${record.node}`, bytesMax });
          expect([name, Buffer.byteLength(text) <= bytesMax]).toEqual([name, true]);
          expect([name, UNSAFE.test(text)]).toEqual([name, false]);
          const { app, messageId, data, message } = parseSyslog(text);
          expect([name, [app, messageId, [...data.keys()]]]).toEqual([name, ['warder', record.kind, ['warder@32473']]]);
          const parameters = data.get('warder@32473')!;
          expect([name, parameters.get('recordId')]).toEqual([name, record.recordId]);
          expect([name, parameters.get('log')]).toEqual([name, record.log]);
          const isWhole = message === recordLine(format, record);
          expect([name, isWhole]).toEqual([name, !parameters.has('sha256')]);
          expect([name, recordIdIn(format, message)]).toEqual([name, record.recordId]);
        }
      }
    },
  );

  it('stands in structured data of a syslog message as it was', () => {
    for (const log of HOSTILE_TEXTS.filter((text) => text.length < 200)) {
      const { data } = parseSyslog(syslogMessage({ format: 'leef', record: { ...WHOLE_RECORD, log }, host: 'h' }));
      expect([...data]).toEqual([
        ['warder@32473', new Map([...data.get('warder@32473')!, ['log', replaced(log)], ['sequence', '42']])],
      ]);
    }
  });

  it('at the byte where a receiver of 8 KiB begins a new record begins none', () => {
    const forged = HOSTILE_TEXTS.find((text) => text.length > 8_097)!;
    for (const format of FORMATS) {
      const text = syslogMessage({ format, record: holding(forged), host: 'ingress-1' });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(7_168);
      expect(parseSyslog(text).data.get('warder@32473')!.get('pointer')).toBe(
        '/admin/audit/calls/0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
      );
    }
  });
});

describe('an OCSF event that was cut to fit a syslog message', () => {
  let schema: OcsfSchema;
  beforeAll(async () => {
    schema = await resolveOcsfSchema();
  }, 320_000);

  it('is one of the published schema still, and says that it was cut', () => {
    let cut = 0;
    for (const [name, record] of RECORDS) {
      const { data, message } = parseSyslog(syslogMessage({ format: 'ocsf', record, host: 'h', bytesMax: 4_096 }));
      const event = JSON.parse(message) as { metadata: { is_truncated?: boolean } };
      expect([name, ocsfFaults(schema, event)]).toEqual([name, []]);
      expect([name, event.metadata.is_truncated === true]).toEqual([name, data.get('warder@32473')!.has('sha256')]);
      if (event.metadata.is_truncated) cut += 1;
    }
    expect(cut).toBeGreaterThan(20);
  });
});
