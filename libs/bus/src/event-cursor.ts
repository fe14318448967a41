import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Where a durable group stands. */
export interface Cursor {
  /** The first offset that the group has not committed. */
  offset: number;
  /** Wall milliseconds at which the group was last known to have a handler. */
  handledAtMs: number;
}

/**
 * The file of one cursor: replaced whole, so that a kill leaves the old one or the new. It is not synced: after a loss
 * of power it may be an older one, and then messages come again.
 */
export class CursorFile {
  private wanted: Cursor | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly file: string,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** The cursor, `undefined` where there is no file, `damaged` where its content cannot be trusted. */
  async read(): Promise<Cursor | 'damaged' | undefined> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const [sum = '', json = ''] = text.split('\n');
    return json !== '' && sum === sumOf(json) ? (JSON.parse(json) as Cursor) : 'damaged';
  }

  /** Writes the cursor soon; of several that come while one is written only the last is. */
  write(cursor: Cursor): void {
    this.wanted = cursor;
    this.writing ??= this.writeWanted().finally(() => (this.writing = undefined));
  }

  /** Resolves when nothing waits to be written. */
  async flushed(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  async remove(): Promise<void> {
    await this.flushed();
    await rm(this.file, { force: true });
  }

  private async writeWanted(): Promise<void> {
    while (this.wanted !== undefined) {
      const json = JSON.stringify(this.wanted);
      this.wanted = undefined;
      try {
        await writeFile(`${this.file}.new`, `${sumOf(json)}\n${json}\n`, { mode: 0o600 });
        await rename(`${this.file}.new`, this.file);
      } catch (error) {
        // The group goes on: the next commit writes again, and until then a restart brings messages again.
        this.onFailure(error);
      }
    }
  }
}

function sumOf(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
