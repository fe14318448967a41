import { SecretError } from '../secret-store.js';

/** A data key: in clear for a while in this process, wrapped wherever it is kept. */
export interface DataKey {
  readonly wrapped: string;
  readonly key: Buffer;
}

/** The vault's part of it. */
export interface Wrapping {
  make(): Promise<DataKey>;
  unwrap(wrapped: string): Promise<Buffer>;
}

export interface DataKeyBounds {
  readonly keptMs: number;
  readonly sealsMax: number;
  readonly cachedMax: number;
}

interface Cached {
  readonly key: Buffer;
  readonly untilMs: number;
}

/**
 * Data keys in clear, each for `keptMs` at most and no more than `cachedMax` of them. One seals for as long; from half
 * of that on the next is fetched beside, so that while the vault is away a value that must not be lost can be sealed.
 */
export class DataKeys {
  private readonly cached = new Map<string, Cached>();
  private readonly unwrapping = new Map<string, Promise<Buffer>>();
  private sealing: (DataKey & { readonly bornMs: number; seals: number }) | undefined;
  private making: Promise<DataKey> | undefined;
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly wrapping: Wrapping,
    private readonly bounds: DataKeyBounds,
    private readonly nowMs: () => number,
  ) {
    this.sweeper = setInterval(() => this.sweep(), Math.min(10_000, bounds.keptMs)).unref();
  }

  /** The key that seals one more value. */
  async forSealing(): Promise<DataKey> {
    const { keptMs, sealsMax } = this.bounds;
    const current = this.sealing;
    const ageMs = current ? this.nowMs() - current.bornMs : Infinity;
    if (!current || ageMs >= keptMs || current.seals >= sealsMax) return this.counted(await this.make());
    // Not waited for: the current one is good, and a vault that is away is told by the calls that need it.
    if (ageMs >= keptMs / 2 || current.seals >= sealsMax / 2) this.make().catch(() => undefined);
    return this.counted(current);
  }

  async unwrapped(wrapped: string): Promise<Buffer> {
    const known = this.cached.get(wrapped);
    if (known && this.nowMs() < known.untilMs) return known.key;
    const running = this.unwrapping.get(wrapped);
    if (running) return running;
    const work = this.wrapping
      .unwrap(wrapped)
      .then((key) => this.keep(wrapped, key))
      .finally(() => this.unwrapping.delete(wrapped));
    this.unwrapping.set(wrapped, work);
    return work;
  }

  close(): void {
    clearInterval(this.sweeper);
    for (const { key } of this.cached.values()) key.fill(0);
    this.cached.clear();
    this.sealing = undefined;
  }

  private make(): Promise<DataKey> {
    this.making ??= this.wrapping
      .make()
      .then((made) => {
        this.sealing = { ...made, bornMs: this.nowMs(), seals: 0 };
        this.keep(made.wrapped, made.key);
        return made;
      })
      .finally(() => {
        this.making = undefined;
      });
    return this.making;
  }

  private counted(key: DataKey): DataKey {
    if (this.sealing?.wrapped === key.wrapped) this.sealing.seals += 1;
    return key;
  }

  private keep(wrapped: string, key: Buffer): Buffer {
    if (key.length !== 32) throw new SecretError('damaged', 'a data key is 32 bytes');
    this.cached.delete(wrapped);
    this.cached.set(wrapped, { key, untilMs: this.nowMs() + this.bounds.keptMs });
    // Entries stand in the order of their end.
    for (const oldest of this.cached.keys()) {
      if (this.cached.size <= this.bounds.cachedMax) break;
      this.cached.delete(oldest);
    }
    return key;
  }

  private sweep(): void {
    const nowMs = this.nowMs();
    for (const [wrapped, { key, untilMs }] of this.cached) {
      if (nowMs < untilMs) break;
      key.fill(0);
      this.cached.delete(wrapped);
      if (this.sealing?.wrapped === wrapped) this.sealing = undefined;
    }
  }
}
