import type { AuditRecord } from '@warder/contracts';
import { JSON_DEPTH_MAX, parseJson } from '@warder/mcp-wire';

// A record holds a message's arguments a few levels down: personal, arguments, value.
const DEPTH_MAX = JSON_DEPTH_MAX + 8;

/**
 * A record from its text, with every number to the digit. The text must be a record's: its form is not checked here.
 * @throws JsonError for a text that is no JSON, or nested deeper than any message that was let in
 */
export function parseRecord(text: string): AuditRecord {
  return parseJson(text, DEPTH_MAX) as AuditRecord;
}
