import { parseRecord, recordLine } from '@warder/siem-format';
import type { ExportRecord } from './destination.js';
import type { JsonFormat } from './http-settings.js';

/** The last millisecond that has a year of four digits. */
const MS_MAX = 253_402_300_799_999;

/**
 * One record as one line of JSON in the format asked for. `record` is the topic's own bytes; were there a line break
 * between two of its members, it becomes a space, for raw ones cannot stand inside a JSON string. The others are made
 * from the text and not from the parsed record, whose numbers may have lost digits.
 */
export function renderJson({ text }: ExportRecord, format: JsonFormat): string {
  if (format === 'record') return text.replace(/[\r\n]/g, ' ');
  return recordLine(format, parseRecord(text));
}

/** The time as ISO 8601 whatever a record says: of the years 1970 to 9999. */
export function isoTime(ms: number): string {
  return new Date(Math.min(MS_MAX, Math.max(0, Math.floor(ms) || 0))).toISOString();
}
