import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { SealingKey } from '@warder/contracts';
import { textOfKey } from '@warder/leases';

/** Milliseconds after which another key takes its place; and for which the one before still opens. */
const TURN_EVERY_MS = 3_600_000;
const KEPT_MS = 60_000;

interface Made {
  readonly told: SealingKey;
  readonly privateKey: KeyObject;
  readonly madeAtMs: number;
}

/**
 * The keys of this process that leases are sealed to. They are made here, their private halves leave neither memory nor
 * the crypto library, and nothing brings them back.
 */
export class SealingKeys {
  private current: Made | undefined;
  private previous: Made | undefined;

  constructor(private readonly wallMs: () => number) {}

  /** To be named in the next request. */
  toName(): SealingKey {
    const nowMs = this.wallMs();
    if (this.current === undefined || nowMs - this.current.madeAtMs >= TURN_EVERY_MS) {
      this.previous = this.current;
      this.current = make(nowMs);
    }
    return this.current.told;
  }

  /** The private half; undefined of a key that is not this process's, or was turned away from. */
  find(id: string): KeyObject | undefined {
    if (this.current?.told.id === id) return this.current.privateKey;
    const { previous, current } = this;
    if (previous === undefined || previous.told.id !== id || current === undefined) return undefined;
    return this.wallMs() - current.madeAtMs < KEPT_MS ? previous.privateKey : undefined;
  }
}

function make(madeAtMs: number): Made {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { told: { id: randomBytes(6).toString('hex'), key: textOfKey(publicKey) }, privateKey, madeAtMs };
}
