import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditRecordedTopic } from '@warder/contracts';
import type { Destination, DestinationContext, ExportRecord, RefusedRecord } from './destination.js';

/** Texts with which an agent could try to end a line, a frame, a field or a document, or to spoil its bytes. */
export const HOSTILE: readonly string[] = [
  'line\nbreak\r\n{"create":{"_id":"forged"}}\n{"decision":"permit"}\n',
  '"}]}}{"event":"forged"}{',
  'CEF:0|a|b|c|d|e|9|act=permit msg=\\|= x ]"\\',
  'nul \u0000 bell \u0007 escape \u001b[31m bom \ufeff',
  'separators \u2028 \u2029 \u0085 and right-to-left \u202e',
  'surrogate pair 😀 and lone \ud800',
  '\\ud800 \\u0000 \\n',
  'x'.repeat(100_000),
];

/** For what comes in its own time: on a machine that does much else a second is soon over. */
export const WAIT = { timeout: 20_000, interval: 5 };

/** Record number `n` of a test, with a text of a client in it. */
export function exportRecord(n: number, hostile = ''): ExportRecord {
  const { example } = auditRecordedTopic;
  if (example.personal === null) throw new Error('the example has its personal part');
  const record = {
    ...example,
    recordId: `0193673e-7c1f-7d5e-8a55-${String(n).padStart(12, '0')}`,
    sequence: n + 1,
    exposedName: `everything__echo${hostile}`,
    personal: { ...example.personal, arguments: { bytes: hostile.length, value: { message: hostile } } },
  };
  return { key: record.recordId, text: JSON.stringify(record), record };
}

export function exportRecords(count: number): ExportRecord[] {
  return Array.from({ length: count }, (_, n) => exportRecord(n));
}

/** A place for secrets and a context whose clock is set by hand and whose log is read. */
export class ExportScene {
  readonly dir = mkdtempSync(join(tmpdir(), 'warder-export-'));
  readonly logged: string[] = [];
  nowMs = Date.now();
  private readonly opened: { close?(): Promise<void>; stop?(): Promise<void> }[] = [];

  readonly context: DestinationContext = {
    name: 'siem',
    node: 'audit-1',
    format: 'record',
    clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
    log: {
      info: (fields, message) => this.logged.push(JSON.stringify({ fields, message })),
      warn: (fields, message) => this.logged.push(JSON.stringify({ fields, message })),
    },
  };

  secretFile(name: string, secret: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    return path;
  }

  /** Closes or stops it at the end. */
  opens<T extends { close(): Promise<void> } | { stop(): Promise<void> }>(one: T): T {
    this.opened.push(one);
    return one;
  }

  async end(): Promise<void> {
    for (const one of this.opened.splice(0)) await (one.close?.() ?? one.stop?.());
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** What the runtime does: the same batch again until it is taken. `onFailure` says what happens in the meantime. */
  async sendUntilTaken(
    destination: Destination,
    batch: readonly ExportRecord[],
    onFailure: (message: string) => void = () => {},
  ): Promise<{ refused: readonly RefusedRecord[]; failures: string[] }> {
    const failures: string[] = [];
    for (let tries = 0; tries < 20; tries++) {
      try {
        return { refused: await destination.send(batch, new AbortController().signal), failures };
      } catch (error) {
        const { message } = error as Error;
        failures.push(message);
        onFailure(message);
      }
    }
    throw new Error(`not taken in 20 tries: ${failures.at(-1)}`);
  }
}

/** Fires when `hit` is called, as the runtime's signal does at `sendTimeoutMs`. */
export function deadline(): { readonly signal: AbortSignal; readonly hit: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, hit: () => controller.abort() };
}
