import { parseRecord, type RecordFormat, syslogMessage } from '@warder/siem-format';
import type { ExportRecord, RefusedRecord } from './destination.js';

/** The settings of which a syslog message is made. */
export interface SyslogTextSettings {
  readonly format: RecordFormat;
  readonly messageBytesMax: number;
}

/** A record and its message's bytes. */
export interface SyslogText {
  readonly record: ExportRecord;
  readonly message: Buffer;
}

/**
 * The RFC 5424 messages of records, each on one line and within its bytes, whatever the record holds. A record of which
 * none can be made never will be sent: it is refused, so that it does not keep the others back.
 */
export function syslogTexts(
  batch: readonly ExportRecord[],
  settings: SyslogTextSettings,
): { readonly texts: readonly SyslogText[]; readonly refused: readonly RefusedRecord[] } {
  const texts: SyslogText[] = [];
  const refused: RefusedRecord[] = [];
  for (const record of batch) {
    try {
      texts.push({ record, message: Buffer.from(messageOf(record, settings), 'utf8') });
    } catch (error) {
      const name = error instanceof Error ? error.name : 'an error';
      refused.push({ record, reason: `no message can be made of it (${name})` });
    }
  }
  return { texts, refused };
}

function messageOf({ text, record: { node } }: ExportRecord, settings: SyslogTextSettings): string {
  const { format, messageBytesMax: bytesMax } = settings;
  // From the text: numbers that a double cannot hold stay what they were.
  return syslogMessage({ format, record: parseRecord(text), host: node, bytesMax });
}
