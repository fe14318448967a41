import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { offsetOf, type Position, positionOf, segmentOf } from './position.js';

const FILE_NAME = 'delivered';
const FILE_BYTES = 12;

/** Everything before the position is delivered; 0 where nothing is known, and then everything is sent again. */
export function readWatermark(dir: string): Position {
  try {
    const bytes = readFileSync(join(dir, FILE_NAME));
    if (bytes.length < FILE_BYTES || crc32(bytes.subarray(0, 8)) !== bytes.readUInt32LE(8)) return 0;
    return positionOf(bytes.readUInt32LE(0), bytes.readUInt32LE(4));
  } catch {
    return 0;
  }
}

/** The file that remembers how far a log is delivered. One write in place, for it happens once a batch. */
export class Watermark {
  private readonly fd: number;
  private readonly bytes = Buffer.alloc(FILE_BYTES);

  constructor(dir: string) {
    this.fd = openSync(join(dir, FILE_NAME), 'a+');
    closeSync(this.fd);
    this.fd = openSync(join(dir, FILE_NAME), 'r+');
  }

  write(position: Position): void {
    this.bytes.writeUInt32LE(segmentOf(position), 0);
    this.bytes.writeUInt32LE(offsetOf(position), 4);
    this.bytes.writeUInt32LE(crc32(this.bytes.subarray(0, 8)), 8);
    writeSync(this.fd, this.bytes, 0, FILE_BYTES, 0);
  }

  sync(): void {
    fdatasyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}
