import { join } from 'node:path';
import type { Destination, DestinationContext, DestinationState, ExportRecord, RefusedRecord } from './destination.js';
import { FileDirectory } from './file-directory.js';
import type { FilesSettings } from './files-settings.js';
import { isoTime, renderJson } from './render-json.js';

/** NDJSON files in `dir/<node>`; nothing is opened before the first batch. */
export function createFiles(settings: FilesSettings, context: DestinationContext): Destination {
  return new Files(settings, context);
}

/**
 * A batch is acknowledged once its lines are flushed. A file is closed by its size or its age, compressed, and entered
 * in the manifest with its SHA-256. What nobody collected is not deleted unless the operator said so: past the bound
 * the exporter stands still. At least once: a batch that was written but not committed comes again, with the same ids.
 */
class Files implements Destination {
  private status: DestinationState['status'] = 'idle';
  private directory: FileDirectory | undefined;
  /** Bytes of all files when they were last counted, with what was written since; collecting makes it too high. */
  private totalBytes = 0;
  private timer: NodeJS.Timeout | undefined;
  /** A file is closed by its age between two batches or not at all. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: FilesSettings,
    private readonly context: DestinationContext,
  ) {}

  async send(batch: readonly ExportRecord[], signal: AbortSignal): Promise<readonly RefusedRecord[]> {
    try {
      const refused = await this.inTurn(async () => {
        signal.throwIfAborted();
        return this.write(batch);
      });
      this.status = 'well';
      return refused;
    } catch (error) {
      this.status = 'failing';
      throw error;
    }
  }

  state(): DestinationState {
    return { status: this.status };
  }

  /** The file that is being written stays open for the next start. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.inTurn(async () => {
      await this.directory?.close();
      this.directory = undefined;
    });
  }

  private async write(batch: readonly ExportRecord[]): Promise<RefusedRecord[]> {
    const { settings } = this;
    const directory = await this.opened();
    const refused: RefusedRecord[] = [];
    const lines: string[] = [];
    for (const record of batch) {
      try {
        lines.push(`${renderJson(record, settings.format)}\n`);
      } catch (error) {
        const name = error instanceof Error ? error.name : 'unknown';
        refused.push({ record, reason: `cannot be written as ${settings.format} (${name})` });
      }
    }
    const bytes = Buffer.from(lines.join(''));
    if (bytes.length === 0) return refused;
    const { open } = directory;
    if (open !== undefined && open.bytes + bytes.length > settings.segmentBytesMax) await this.closeFile(directory);
    else await this.closeOld(directory);
    await this.makeRoom(directory, bytes.length);
    await directory.append(bytes, isoTime(batch[0]?.record.occurredAtMs ?? 0), this.wallMs());
    this.totalBytes += bytes.length;
    this.closeLater(directory);
    return refused;
  }

  private async opened(): Promise<FileDirectory> {
    if (this.directory !== undefined) return this.directory;
    const directory = await FileDirectory.open(join(this.settings.dir, this.context.node));
    this.totalBytes = await directory.totalBytes();
    return (this.directory = directory);
  }

  /** @throws Error when the files together would pass their bound */
  private async makeRoom(directory: FileDirectory, bytes: number): Promise<void> {
    const { totalBytesMax, deletesOldest } = this.settings;
    if (this.totalBytes + bytes <= totalBytesMax) return;
    this.totalBytes = await directory.totalBytes();
    while (deletesOldest && this.totalBytes + bytes > totalBytesMax) {
      const deleted = await directory.deleteOldest(this.wallMs());
      if (deleted === undefined) break;
      this.context.log.warn({ exporter: this.context.name, file: deleted }, 'the oldest exported file was deleted');
      this.totalBytes = await directory.totalBytes();
    }
    if (this.totalBytes + bytes > totalBytesMax)
      throw new Error(`the files have ${this.totalBytes} bytes of ${totalBytesMax}: collect the closed ones`);
  }

  private async closeOld(directory: FileDirectory): Promise<void> {
    const { open } = directory;
    if (open !== undefined && this.wallMs() - open.openedMs >= this.settings.segmentAgeMaxMs)
      await this.closeFile(directory);
  }

  private async closeFile(directory: FileDirectory): Promise<void> {
    await directory.closeCurrent(this.wallMs());
    this.totalBytes = await directory.totalBytes();
  }

  /** A file is closed by its age also when nothing more comes. */
  private closeLater(directory: FileDirectory): void {
    clearTimeout(this.timer);
    const leftMs = (directory.open?.openedMs ?? 0) + this.settings.segmentAgeMaxMs - this.wallMs();
    this.timer = setTimeout(
      () => void this.inTurn(async () => this.closeOld(directory)).catch((error: unknown) => this.sayNotClosed(error)),
      // A clock that steps back must not put the closing off for ever.
      Math.min(Math.max(0, leftMs), this.settings.segmentAgeMaxMs),
    );
    this.timer.unref();
  }

  private sayNotClosed(error: unknown): void {
    this.status = 'failing';
    const reason = error instanceof Error ? error.message : 'unknown';
    this.context.log.warn({ exporter: this.context.name, reason }, 'an exported file could not be closed yet');
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work, work);
    this.last = mine.catch(() => {});
    return mine;
  }

  private wallMs(): number {
    return this.context.clock.wallMs();
  }
}
