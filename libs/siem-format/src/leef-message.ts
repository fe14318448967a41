import type { AuditRecord } from '@warder/contracts';
import type { FlatField } from './cef-message.js';
import { eventCode } from './event-name.js';
import { plainText } from './harmless-text.js';
import { RECORD_FIELDS } from './record-fields.js';
import { severityOf } from './severity.js';
import { type RecordNotes, PRODUCT } from './record-notes.js';

const SEVERITY = { informational: 1, low: 3, medium: 6, high: 9 } as const;
// The default, a tab, is a control character that relays rewrite.
const DELIMITER = '^';

/**
 * The record as one line of IBM's Log Event Extended Format 2.0. The format has no escape: what would end a value or
 * the line becomes U+FFFD, except in JSON, where it is written as `\u005e`.
 * @see IBM QRadar LEEF guide, LEEF event components
 */
export function leefMessage(record: AuditRecord, notes: RecordNotes = {}): string {
  const fields: FlatField[] = RECORD_FIELDS.flatMap(({ leef, json, read }) => {
    const value = read(record, notes);
    return value === null || value === undefined || value === '' ? [] : [{ key: leef, value: String(value), json }];
  });
  return leefText(record, fields);
}

/** Header and attributes of these fields. */
export function leefText(record: AuditRecord, fields: readonly FlatField[]): string {
  const { vendor, name, version } = PRODUCT;
  const header = ['LEEF:2.0', vendor, name, version, eventCode(record), DELIMITER];
  const severity: FlatField = { key: 'sev', value: String(SEVERITY[severityOf(record)]) };
  const attributes = [severity, ...fields].map(
    ({ key, value, json }) => `${key}=${attributeValue(value, json === true)}`,
  );
  return `${header.join('|')}|${attributes.join(DELIMITER)}`;
}

// In JSON that we wrote a caret stands in strings alone.
function attributeValue(text: string, isJson: boolean): string {
  return plainText(text).replaceAll(DELIMITER, isJson ? '\\u005e' : '\ufffd');
}
