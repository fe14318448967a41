import { type FileHandle, open } from 'node:fs/promises';

const NEWLINE = 0x0a;
const PIECE_BYTES = 65_536;

/** Flushes names that were made, renamed or removed in a directory. */
export async function flushDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A file of whole lines: what a kill or a full disk left of a half one is cut off. */
export class DurableFile {
  /** An append failed and what it wrote could not be cut off. */
  private isTorn = false;

  private constructor(
    private readonly handle: FileHandle,
    /** Bytes that are whole and flushed. */
    private flushed: number,
  ) {}

  /** Opens or makes the file and cuts a half line off its end. A new name is not flushed: see `flushDirectory`. */
  static async open(path: string): Promise<DurableFile> {
    const handle = await open(path, 'a+', 0o640);
    try {
      const { size } = await handle.stat();
      const whole = await endOfLastLine(handle, size);
      if (whole < size) {
        await handle.truncate(whole);
        await handle.sync();
      }
      return new DurableFile(handle, whole);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.flushed;
  }

  /**
   * Appends whole lines and flushes them; on failure the file is what it was.
   * @throws Error when the disk is full or fails, or when another process wrote to the file
   */
  async append(lines: Buffer): Promise<void> {
    await this.mend();
    try {
      for (let at = 0; at < lines.length;) at += (await this.handle.write(lines, at)).bytesWritten;
      await this.handle.datasync();
    } catch (error) {
      this.isTorn = true;
      await this.mend().catch(() => {});
      throw error;
    }
    this.flushed += lines.length;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async mend(): Promise<void> {
    const { size } = await this.handle.stat();
    if (size !== this.flushed && !this.isTorn) throw new Error('another process writes to the files of this exporter');
    if (this.isTorn) await this.handle.truncate(this.flushed);
    this.isTorn = false;
  }
}

/** Offset behind the last line break; 0 where there is none. */
async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - PIECE_BYTES);
    const { bytesRead } = await handle.read(piece, 0, end - start, start);
    const at = piece.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
