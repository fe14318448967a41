import type { AuditRecord } from '@warder/contracts';
import { plainText } from './harmless-text.js';
import { RECORD_FIELDS } from './record-fields.js';
import { severityOf } from './severity.js';
import { type RecordNotes, PRODUCT } from './record-notes.js';
import { eventCode, eventName } from './event-name.js';

const SEVERITY = { informational: 2, low: 3, medium: 5, high: 8 } as const;

/**
 * The record as one line of ArcSight's Common Event Format: header, then `key=value` with `\`, `=` and line ends
 * escaped. Other control characters become U+FFFD.
 * @see Micro Focus Security ArcSight Common Event Format, implementation standard version 26
 */
export function cefMessage(record: AuditRecord, notes: RecordNotes = {}): string {
  const fields: FlatField[] = RECORD_FIELDS.flatMap(({ cef, cefLabel, json, read }) => {
    const value = read(record, notes);
    if (value === null || value === undefined || value === '') return [];
    const field = { key: cef, value: String(value), json };
    return cefLabel === undefined ? [field] : [{ key: `${cef}Label`, value: cefLabel }, field];
  });
  return cefText(record, fields);
}

/** A key and its value before it is escaped. */
export interface FlatField {
  readonly key: string;
  readonly value: string;
  readonly json?: boolean | undefined;
}

/** Header and extension of these fields. */
export function cefText(record: AuditRecord, fields: readonly FlatField[]): string {
  const severity = SEVERITY[severityOf(record)];
  const { vendor, name, version } = PRODUCT;
  const header = ['CEF:0', vendor, name, version, eventCode(record), eventName(record), String(severity)];
  const extension = fields.map(({ key, value }) => `${key}=${extensionValue(value)}`);
  return `${header.map(headerValue).join('|')}|${extension.join(' ')}`;
}

// Line ends are no values of a header: there they become U+FFFD like any control character.
function headerValue(text: string): string {
  return plainText(text).replace(/[\\|]/g, '\\$&');
}

function extensionValue(text: string): string {
  const escaped = text.replace(/[\\=]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return plainText(escaped);
}
