import type { AuditRecord } from '@warder/contracts';
import { createHash } from 'node:crypto';
import { cefMessage } from './cef-message.js';
import { ecsDocument } from './ecs-document.js';
import { jsonLine, plainText } from './harmless-text.js';
import { leefMessage } from './leef-message.js';
import { ocsfEvent } from './ocsf-event.js';
import { type Severity, severityOf } from './severity.js';
import { shortenRecord } from './shorten-record.js';
import { type CutNote, occurredMs, type RecordNotes, recordPointer } from './record-notes.js';

/** The formats of a line. */
export type RecordFormat = 'cef' | 'leef' | 'ocsf' | 'ecs';

/** Bytes of a message that a receiver with a buffer of 8 KiB does not split, with room for what relays put before it. */
export const SYSLOG_BYTES_MAX = 7_168;
/** The least that a message may be held to: ids, hashes and the pointer to the rest always fit. */
export const SYSLOG_BYTES_MIN = 4_096;

export interface SyslogOptions {
  readonly format: RecordFormat;
  readonly record: AuditRecord;
  /** Who sends; what is no printable ASCII becomes `_`. */
  readonly host: string;
  /** UTF-8 bytes of the message at most, `SYSLOG_BYTES_MIN` or more. */
  readonly bytesMax?: number | undefined;
  readonly leafHash?: string | undefined;
}

// Facility 13, log audit; a severity of RFC 5424 for each of ours.
const FACILITY = 13 * 8;
const SEVERITIES: Record<Severity, number> = { high: 3, medium: 4, low: 5, informational: 6 };
const CHARACTERS_MAX = [2_048, 1_024, 512, 256, 128, 64, 32, 16, 0];
const LOG_CHARACTERS_MAX = 256;

/** One line of the record in a format, whatever its length, without control characters. */
export function recordLine(format: RecordFormat, record: AuditRecord, notes: RecordNotes = {}): string {
  if (format === 'cef') return cefMessage(record, notes);
  if (format === 'leef') return leefMessage(record, notes);
  return jsonLine(format === 'ocsf' ? ocsfEvent(record, notes) : ecsDocument(record, notes));
}

/**
 * One RFC 5424 message, without framing, BOM or control character, of at most `bytesMax` bytes. A receiver splits a
 * longer one and takes its tail for a record of its own, so a body that does not fit is cut inside of its values: it
 * stays well-formed and carries its whole length, the SHA-256 of the whole and the path where the whole is read.
 * @throws RangeError when `bytesMax` is below `SYSLOG_BYTES_MIN`
 * @see RFC 5424 section 6; RFC 5425 section 4.3.1
 */
export function syslogMessage(options: SyslogOptions): string {
  const { format, record, leafHash, bytesMax = SYSLOG_BYTES_MAX } = options;
  if (!(bytesMax >= SYSLOG_BYTES_MIN)) {
    throw new RangeError(`a syslog message takes ${SYSLOG_BYTES_MIN} bytes or more, not ${bytesMax}`);
  }
  const whole = recordLine(format, record, { leafHash });
  const message = `${headerOf(options, undefined)} ${whole}`;
  if (fits(message, bytesMax)) return message;
  const cut: CutNote = {
    bytes: Buffer.byteLength(whole),
    sha256: createHash('sha256').update(whole).digest('hex'),
    pointer: recordPointer(record.recordId),
  };
  const header = headerOf(options, cut);
  for (const charactersMax of CHARACTERS_MAX) {
    const shorter = `${header} ${recordLine(format, shortenRecord(record, charactersMax), { leafHash, cut })}`;
    if (fits(shorter, bytesMax)) return shorter;
  }
  throw new RangeError(`record ${plainText(record.recordId)} does not fit into ${bytesMax} bytes`);
}

function fits(message: string, bytesMax: number): boolean {
  return message.length <= bytesMax && Buffer.byteLength(message) <= bytesMax;
}

function headerOf({ record, host }: SyslogOptions, cut: CutNote | undefined): string {
  const priority = FACILITY + SEVERITIES[severityOf(record)];
  const time = new Date(occurredMs(record)).toISOString();
  const name = host.replace(/[^\x21-\x7e]/g, '_').slice(0, 255) || '-';
  const parameters: Record<string, string | number> = {
    recordId: record.recordId,
    log: record.log.slice(0, LOG_CHARACTERS_MAX),
    sequence: record.sequence,
    ...cut,
  };
  const data = Object.entries(parameters).map(([key, value]) => ` ${key}="${dataValue(String(value))}"`);
  // 32473 is the enterprise number of examples (RFC 5612): the project has none of its own.
  return `<${priority}>1 ${time} ${name} warder - ${record.kind} [warder@32473${data.join('')}]`;
}

function dataValue(text: string): string {
  return plainText(text).replace(/["\\\]]/g, '\\$&');
}
