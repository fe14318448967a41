import { open } from 'node:fs/promises';
import { DurableFile } from './durable-file.js';

/** Bytes of the manifest's end in which the last lines are looked for, and how many are remembered. */
const TAIL_BYTES = 65_536;
const RECENT_MAX = 200;

/** One line of the manifest: a file that was closed, or one that was deleted to make room. */
export type ManifestLine = ClosedFile | { readonly file: string; readonly deletedAt: string };

export interface ClosedFile {
  readonly file: string;
  readonly records: number;
  /** Of the compressed file, which is what is collected. */
  readonly bytes: number;
  readonly sha256: string;
  readonly ndjsonBytes: number;
  readonly ndjsonSha256: string;
  readonly closedAt: string;
}

/** The list of closed files, by which a collector knows that it has every one, whole. */
export class FileManifest {
  private constructor(
    private readonly file: DurableFile,
    /** The last lines. */
    private readonly recent: ManifestLine[],
  ) {}

  static async open(path: string): Promise<FileManifest> {
    const file = await DurableFile.open(path);
    return new FileManifest(file, await lastLines(path, file.bytes));
  }

  get bytes(): number {
    return this.file.bytes;
  }

  /** Whether the file has its line already: then a kill or a failure came before the end of its closing. */
  hasClosed(name: string): boolean {
    return this.recent.some((line) => line.file === name && 'sha256' in line);
  }

  /** The newest name, of a file that may have been collected since. */
  newest(): string | undefined {
    return this.recent.findLast((line) => 'sha256' in line)?.file;
  }

  async add(line: ManifestLine): Promise<void> {
    await this.file.append(Buffer.from(`${JSON.stringify(line)}\n`));
    this.recent.push(line);
    if (this.recent.length > RECENT_MAX) this.recent.shift();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function lastLines(path: string, bytes: number): Promise<ManifestLine[]> {
  const handle = await open(path, 'r');
  try {
    const start = Math.max(0, bytes - TAIL_BYTES);
    const tail = Buffer.alloc(bytes - start);
    await handle.read(tail, 0, tail.length, start);
    const lines = tail.toString('utf8').split('\n').slice(0, -1);
    // Where the tail begins within a line, that one is left out.
    return lines.slice(start === 0 ? 0 : 1).map((line) => JSON.parse(line) as ManifestLine);
  } finally {
    await handle.close();
  }
}
