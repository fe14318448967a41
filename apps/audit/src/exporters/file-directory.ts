import { mkdir, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { compressFile } from './compress-file.js';
import { DurableFile, flushDirectory } from './durable-file.js';
import { FileManifest } from './file-manifest.js';
import { DRAFT, fileStem, MANIFEST, readFileName } from './file-names.js';

/** The file that is being written. */
interface OpenFile {
  readonly stem: string;
  readonly file: DurableFile;
  readonly openedMs: number;
  /** Closing began and failed: nothing is appended any more, for its line may stand in the manifest. */
  isClosing: boolean;
}

/**
 * The files of one exporter: at most one that is being written (`.open`), the closed ones (`.gz`), and the manifest.
 * A kill at any point leaves a state that `open` goes on from: a file is compressed under another name, gets its own,
 * is entered in the manifest, and only then is the plain one removed.
 */
export class FileDirectory {
  private current: OpenFile | undefined;
  private nextNumber = 1;

  private constructor(
    private readonly dir: string,
    private readonly manifest: FileManifest,
  ) {}

  /** @throws Error when the directory cannot be made, read or written */
  static async open(dir: string): Promise<FileDirectory> {
    await mkdir(dir, { recursive: true, mode: 0o750 });
    await rm(join(dir, DRAFT), { force: true });
    const directory = new FileDirectory(dir, await FileManifest.open(join(dir, MANIFEST)));
    await flushDirectory(dir);
    await directory.resume();
    return directory;
  }

  /** Bytes and opening time of the file that is being written, `undefined` while there is none. */
  get open(): { readonly bytes: number; readonly openedMs: number } | undefined {
    return this.current === undefined ? undefined : { bytes: this.current.file.bytes, openedMs: this.current.openedMs };
  }

  /**
   * Appends lines and flushes them.
   * @param firstIso - time of the first of them, for the name of a file that begins with it
   * @param nowMs - wall milliseconds
   */
  async append(lines: Buffer, firstIso: string, nowMs: number): Promise<void> {
    if (this.current?.isClosing === true) await this.closeCurrent(nowMs);
    this.current ??= await this.begin(fileStem(firstIso, this.nextNumber), nowMs);
    await this.current.file.append(lines);
  }

  /** Compresses what is being written, enters it in the manifest and removes the plain file. */
  async closeCurrent(nowMs: number): Promise<void> {
    if (this.current === undefined) return;
    const { stem, file } = this.current;
    this.current.isClosing = true;
    await this.finish(stem, nowMs);
    await file.close();
    this.current = undefined;
  }

  /** Bytes of all files, those that others put there not counted. */
  async totalBytes(): Promise<number> {
    let total = this.manifest.bytes;
    for (const name of await this.names()) total += await sizeOf(join(this.dir, name));
    return total;
  }

  /** Deletes the oldest closed file and enters that in the manifest. @returns its name, or `undefined` without one */
  async deleteOldest(nowMs: number): Promise<string | undefined> {
    const oldest = (await this.names()).find((name) => readFileName(name)?.isOpen === false);
    if (oldest === undefined) return undefined;
    await this.manifest.add({ file: oldest, deletedAt: new Date(nowMs).toISOString() });
    await unlink(join(this.dir, oldest));
    return oldest;
  }

  async close(): Promise<void> {
    await this.current?.file.close();
    await this.manifest.close();
  }

  private async begin(stem: string, nowMs: number): Promise<OpenFile> {
    const file = await DurableFile.open(join(this.dir, `${stem}.open`));
    await flushDirectory(this.dir);
    this.nextNumber++;
    return { stem, file, openedMs: nowMs, isClosing: false };
  }

  private async finish(stem: string, nowMs: number): Promise<void> {
    const [plain, packed] = [join(this.dir, `${stem}.open`), `${stem}.gz`];
    if (!this.manifest.hasClosed(packed)) {
      const compressed = await compressFile(plain, join(this.dir, DRAFT), join(this.dir, packed));
      await flushDirectory(this.dir);
      await this.manifest.add({ file: packed, ...compressed, closedAt: new Date(nowMs).toISOString() });
    }
    await unlink(plain);
    await flushDirectory(this.dir);
  }

  private async resume(): Promise<void> {
    const names = await this.names();
    const newest = readFileName(this.manifest.newest() ?? '')?.number ?? 0;
    this.nextNumber = 1 + Math.max(newest, ...names.map((name) => readFileName(name)?.number ?? 0));
    for (const name of names) {
      const { stem = '', isOpen = false } = readFileName(name) ?? {};
      if (!isOpen) continue;
      const path = join(this.dir, name);
      const { birthtimeMs, mtimeMs } = await stat(path);
      const packed = `${stem}.gz`;
      // A kill while it was being closed: nothing more may be added to a name that could have been collected.
      const isClosing = names.includes(packed) || this.manifest.hasClosed(packed);
      // Without a birth time a file counts from its last line.
      this.current = { stem, file: await DurableFile.open(path), openedMs: birthtimeMs || mtimeMs, isClosing };
    }
  }

  /** Our own, oldest first. */
  private async names(): Promise<string[]> {
    const names = (await readdir(this.dir)).filter((name) => readFileName(name) !== undefined);
    return names.sort((a, b) => (readFileName(a)?.number ?? 0) - (readFileName(b)?.number ?? 0));
  }
}

/** 0 for a file that was collected in the meantime. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
