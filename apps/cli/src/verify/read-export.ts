import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AuditCheckpoint } from '@warder/contracts';
import { commitmentTo, partsOf, readCheckpoint, recordLeafOf } from '@warder/merkle-log';
import { BundleFrames } from './bundle-frames.js';
import type { ExportedCheckpoint, ExportedLog, ExportedRecord, Place } from './exported-log.js';

const LINE_BYTES_MAX = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;
const SUFFIX = '.ndjson';

/** A line, and where its bytes begin. */
interface Line extends Place {
  readonly path: string;
  readonly bytes: Buffer;
  /** `undefined` where the record's bytes are not the file's. */
  readonly offset: number | undefined;
}

/** What an export holds, by log, and the lines that are neither a record nor a checkpoint. */
export interface Export {
  readonly logs: ReadonlyMap<string, ExportedLog>;
  readonly unreadable: readonly Place[];
  /** Why it is not all that was asked for, a sentence each. */
  readonly incomplete: readonly string[];
}

/**
 * Reads an export: a file, or every `*.ndjson` of a directory. A line is a record as it is stored, a checkpoint, a
 * checkpoint as `base`, a text as `exactly`, or says that a bundle begins or ends.
 * @throws Error where there is nothing to read
 */
export async function readExport(path: string): Promise<Export> {
  const logs = new Map<string, ExportedLog>();
  const unreadable: Place[] = [];
  const frames = new BundleFrames();
  for (const file of filesOf(path)) {
    for await (const line of linesOf(file)) {
      if (!take(line, logs, frames)) unreadable.push({ file: line.file, line: line.line });
    }
  }
  return { logs, unreadable, incomplete: frames.faults(heldBy(logs)) };
}

function filesOf(path: string): { path: string; name: string }[] {
  if (!statSync(path).isDirectory()) return [{ path, name: path }];
  const names = readdirSync(path).filter((name) => name.endsWith(SUFFIX));
  if (names.length === 0) throw new Error(`${path} holds no file of an export (*${SUFFIX})`);
  return names.sort().map((name) => ({ path: join(path, name), name }));
}

async function* linesOf({ path, name }: { path: string; name: string }): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  let number = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      yield { path, file: name, line: ++number, bytes: rest.subarray(0, end), offset };
      offset += end + 1;
      rest = rest.subarray(end + 1);
    }
    if (rest.length > LINE_BYTES_MAX) throw new Error(`${name}:${number + 1} is no line of an export: it is too long`);
  }
  if (rest.length > 0) yield { path, file: name, line: ++number, bytes: rest, offset };
}

function heldBy(logs: ReadonlyMap<string, ExportedLog>): { records: number; checkpoints: number } {
  let [records, checkpoints] = [0, 0];
  for (const log of logs.values()) {
    records += log.records.length;
    checkpoints += log.checkpoints.filter(({ isBase }) => !isBase).length;
  }
  return { records, checkpoints };
}

function take(line: Line, logs: Map<string, ExportedLog>, frames: BundleFrames): boolean {
  if (line.bytes.length === 0) return true;
  const value = parsed(line.bytes);
  if (value === undefined) return false;
  if (typeof value.exactly === 'string') {
    const bytes = Buffer.from(value.exactly);
    const inner = parsed(bytes);
    return inner !== undefined && takeRecord({ ...line, bytes, offset: undefined }, inner, logs);
  }
  if ('bundle' in value) return frames.take(value);
  if ('base' in value) return takeCheckpoint(line, value.base, true, logs);
  if ('note' in value) return takeCheckpoint(line, value, false, logs);
  return takeRecord(line, value, logs);
}

function takeCheckpoint(line: Line, value: unknown, isBase: boolean, logs: Map<string, ExportedLog>): boolean {
  const checkpoint = AuditCheckpoint.safeParse(value);
  const { file, line: number } = line;
  if (checkpoint.success) {
    const { origin, size } = checkpoint.data;
    const read: ExportedCheckpoint['read'] = readCheckpoint(checkpoint.data);
    logOf(origin, logs).checkpoints.push({ file, line: number, size, isBase, read });
    return true;
  }
  const { origin, size } = (value ?? {}) as { origin?: unknown; size?: unknown };
  if (typeof origin !== 'string' || typeof size !== 'number') return false;
  const read = { fault: 'it has not the form of a checkpoint' };
  logOf(origin, logs).checkpoints.push({ file, line: number, size, isBase, read });
  return true;
}

function takeRecord(line: Line, value: Record<string, unknown>, logs: Map<string, ExportedLog>): boolean {
  const { log: name, sequence, index, commitment } = value;
  if (typeof name !== 'string' || !isNumber(sequence)) return false;
  const { core, personal } = partsOf(line.bytes);
  const log = logOf(name, logs);
  log.records.push({
    file: line.file,
    line: line.line,
    index: isNumber(index) ? index : undefined,
    sequence,
    leaf: recordLeafOf(line.bytes),
    personal: stateOf(personal, commitment),
    core: line.offset === undefined ? keep(core) : readAgain(line.path, line.offset, core.length),
  });
  if (value.kind === 'gap') {
    const told = (value.personal as { arguments?: { value?: { lostFrom?: unknown; lostTo?: unknown } } } | null)
      ?.arguments;
    const { lostFrom: from, lostTo: to } = told?.value ?? {};
    if (isNumber(from) && isNumber(to)) log.toldLost.push({ from, to });
  }
  return true;
}

/** Reads the bytes again where they stand in the file, so that not all of them are held in memory. */
function readAgain(path: string, offset: number, length: number): () => Buffer {
  return () => {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      readSync(fd, bytes, 0, length, offset);
      return bytes;
    } finally {
      closeSync(fd);
    }
  };
}

const keep = (bytes: Buffer) => () => bytes;

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function stateOf(personal: Buffer | null | undefined, commitment: unknown): ExportedRecord['personal'] {
  if (personal === undefined) return 'never';
  if (personal === null) return 'erased';
  return commitmentTo(personal) === commitment ? 'there' : 'altered';
}

function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function logOf(name: string, logs: Map<string, ExportedLog>): ExportedLog {
  const known = logs.get(name);
  if (known !== undefined) return known;
  const made: ExportedLog = { name, records: [], checkpoints: [], toldLost: [] };
  logs.set(name, made);
  return made;
}
