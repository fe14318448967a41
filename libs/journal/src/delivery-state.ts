import { closeSync, fdatasync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { TreeState } from './log-tree.js';
import type { Position } from './position.js';

const SLOTS = ['delivered.0', 'delivered.1'] as const;
/** u32 bytes of the text | u32 CRC-32 of the text | text. */
const HEADER_BYTES = 8;

const dataSync = promisify(fdatasync);

/** How far a log is delivered, and the tree of what was. */
export interface DeliveryState {
  /** Frames before it are counted: the records that became whole there are acknowledged and in the tree. */
  readonly read: Position;
  /** Nothing before it is needed any more; between it and `read` stand intents that are still open. */
  readonly delivered: Position;
  /** Missing where it was lost. */
  readonly tree?: TreeState;
}

interface Slot {
  readonly number: number;
  readonly generation: number;
  readonly state: DeliveryState;
}

/** The newest state of a log that can be read, or `undefined` where there is none. */
export function readDeliveryState(dir: string): DeliveryState | undefined {
  return newestSlot(dir)?.state;
}

/**
 * The two files that remember how far a log is delivered. One is written, in place, once a batch; when it was synced the
 * other one takes its turn. So there is always a whole one on the disk, and what a kill or a power cut tears costs that
 * some records are sent again, under the same indexes.
 */
export class DeliveryFile {
  private readonly fds: readonly number[];
  private current: number;
  private generation: number;

  /** @throws the disk's error */
  constructor(dir: string) {
    const newest = newestSlot(dir);
    this.fds = SLOTS.map((name) => {
      closeSync(openSync(join(dir, name), 'a', 0o600));
      return openSync(join(dir, name), 'r+');
    });
    this.current = newest?.number ?? 0;
    this.generation = newest?.generation ?? 0;
    // An earlier process may have left it in the page cache alone.
    if (newest !== undefined) this.sync();
  }

  write(state: DeliveryState): void {
    const text = Buffer.from(JSON.stringify({ ...state, generation: ++this.generation }));
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + text.length);
    bytes.writeUInt32LE(text.length, 0);
    bytes.writeUInt32LE(crc32(text), 4);
    text.copy(bytes, HEADER_BYTES);
    for (let at = 0; at < bytes.length;) at += writeSync(this.fds[this.current]!, bytes, at, bytes.length - at, at);
  }

  /** Blocks until what was written is on the disk. */
  sync(): void {
    fdatasyncSync(this.fds[this.current]!);
    this.turn();
  }

  /** The same off the loop. Nothing may be written until it resolves. */
  async syncLater(): Promise<void> {
    await dataSync(this.fds[this.current]!);
    this.turn();
  }

  close(): void {
    for (const fd of this.fds) closeSync(fd);
  }

  private turn(): void {
    this.current = 1 - this.current;
  }
}

function newestSlot(dir: string): Slot | undefined {
  const slots = SLOTS.flatMap((name, number) => readSlot(join(dir, name), number) ?? []);
  return slots.sort((one, other) => other.generation - one.generation)[0];
}

function readSlot(path: string, number: number): Slot | undefined {
  try {
    const bytes = readFileSync(path);
    const text = bytes.subarray(HEADER_BYTES, HEADER_BYTES + bytes.readUInt32LE(0));
    if (crc32(text) !== bytes.readUInt32LE(4)) return undefined;
    const { generation, ...state } = JSON.parse(text.toString()) as DeliveryState & { generation: number };
    return { number, generation, state };
  } catch {
    return undefined;
  }
}
