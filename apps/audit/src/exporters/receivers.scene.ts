import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { type PartyFiles, type ReceivedLine, TestAuthority } from '@warder/testing';
import type { ExportRecord } from './destination.js';
import type { ClientTlsSettings } from './client-tls-settings.js';

export const SERVER_NAME = 'siem.example';
export const CLIENT_NAME = 'warder';

/** Certificates of one test with real receivers. */
export interface ReceiversScene {
  readonly server: PartyFiles;
  readonly client: ClientTlsSettings;
  /** Of the same authority, under a name that nobody permits. */
  readonly stranger: ClientTlsSettings;
  /** Of another authority, under the right name. */
  readonly forger: ClientTlsSettings;
  remove(): void;
}

export async function makeReceiversScene(): Promise<ReceiversScene> {
  const dir = mkdtempSync(join(tmpdir(), 'warder-receivers-'));
  const authority = await TestAuthority.make(dir);
  const of = (files: PartyFiles): ClientTlsSettings => ({
    ...files,
    caFile: authority.caFile,
    serverName: SERVER_NAME,
  });
  const server = await authority.certify(SERVER_NAME);
  const client = of(await authority.certify(CLIENT_NAME));
  const stranger = of(await authority.certify('somebody-else'));
  const other = await TestAuthority.make(dir, 'other-authority');
  const forger = of(await other.certify(CLIENT_NAME));
  return { server, client, stranger, forger, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** The number-th record of a test; its arguments hold `filling`. */
export function exportRecord(number: number, filling = 'x'.repeat(600)): ExportRecord {
  const key = recordIdOf(number);
  const record: AuditRecord = {
    ...auditRecordedTopic.example,
    recordId: key,
    sequence: number + 1,
    personal: {
      ...auditRecordedTopic.example.personal!,
      arguments: { bytes: filling.length + 16, value: { message: filling } },
    },
  };
  return { key, text: JSON.stringify(record), record };
}

export function recordIdOf(number: number): string {
  return `0193673e-7c1f-7d5e-8a55-${String(number).padStart(12, '0')}`;
}

/** Ids of a receiver's lines, in their order; a line without one is shown as it is. */
export function idsOf(lines: readonly ReceivedLine[]): string[] {
  return lines.map((line) => /recordId="([^"]+)"/.exec(line.sd)?.[1] ?? JSON.stringify(line).slice(0, 300));
}
