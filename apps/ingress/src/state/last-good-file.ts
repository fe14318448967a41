import type { Logger } from '@warder/telemetry';
import type { NodeState } from './node-state.js';
import type { Replication } from './replication.js';
import { openImage, readImage, sealImage, writeImage } from './sealed-image.js';

/** Milliseconds between a change and its copy on disk, so that a thousand changes are one write. */
const SETTLE_MS = 1_000;
/** Milliseconds after which the copy is written anew although nothing changed: its age counts. */
const REFRESH_MS = 60_000;

/** Keeps the sealed last-good copy of a node's state on disk, and loads it at start. */
export class LastGoodFile {
  private timer: NodeJS.Timeout | undefined;
  private readonly refresh: NodeJS.Timeout;
  private writing: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(
    private readonly path: string,
    private readonly key: Uint8Array,
    private readonly wallMs: () => number,
    private readonly log: Logger,
  ) {
    this.refresh = setInterval(() => this.changed(), REFRESH_MS).unref();
  }

  private source: { state: NodeState; replication: Replication } | undefined;

  /** Applies the copy, if there is one that this key opens. */
  async load(state: NodeState, replication: Replication): Promise<void> {
    this.source = { state, replication };
    const sealed = await readImage(this.path);
    if (sealed === undefined) return;
    const lastGood = openImage(sealed, this.key);
    if (lastGood === undefined) {
      this.log.error({ file: this.path }, 'the last-good replica was not sealed with this session key and is not used');
      return;
    }
    state.applyImage(lastGood.image);
    replication.loadedLastGood(lastGood.identityHeardAtMs);
  }

  /** Has the copy written soon. */
  changed(): void {
    if (this.isClosed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.writing = this.writing.then(() => this.write());
    }, SETTLE_MS).unref();
  }

  /** Writes a last copy and stops. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.refresh);
    clearTimeout(this.timer);
    await this.writing;
    await this.write();
  }

  private async write(): Promise<void> {
    if (this.source === undefined) return;
    const { state, replication } = this.source;
    const identityHeardAtMs = replication.heardAtMs(this.wallMs());
    // Before identity was heard for the first time there is nothing good to keep.
    if (!Number.isFinite(identityHeardAtMs)) return;
    try {
      await writeImage(this.path, sealImage({ identityHeardAtMs, image: state.image() }, this.key));
    } catch (error) {
      this.log.error({ err: error, file: this.path }, 'the last-good replica could not be written');
    }
  }
}
