import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { PageRefusal } from '@warder/pages';

const scryptOf = promisify<string, Buffer, number, object, Buffer>(scrypt);
/** One of OWASP's equal choices for scrypt: 32 MiB for each thread that is at it, and some 200 ms. */
const COST = { N: 32_768, r: 8, p: 3, maxmem: 64 * 1_024 * 1_024 };
const KEY_BYTES = 32;
/** What one takes, and a little: by then one of those that wait has come on. */
const RETRY_AFTER_MS = 1_000;

/** How many passwords are worked on. */
export interface HashingBounds {
  /** At once. The process has four threads for this, for looking up names and for files. */
  readonly runningMax: number;
  /** Waiting beside those: each waits for `waitingMax / runningMax` times some 200 ms at most. */
  readonly waitingMax: number;
}

/**
 * Makes passwords into what is kept of them (scrypt, RFC 7914), so many at once and in the order in which they came. It
 * is dear by intent, and whoever has an address to send from can have it done: without a bound a flood of guesses would
 * hold every thread and the memory of the process.
 */
export class PasswordHashing {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly bounds: HashingBounds) {}

  /** What is kept of a password. @throws PageRefusal 503 WDR_PASSWORDS_BUSY */
  async hashed(password: string): Promise<string> {
    const salt = randomBytes(16);
    const key = await this.keyOf(password, salt, COST);
    return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64url')}$${key.toString('base64url')}`;
  }

  /** Whether it is the password of which this was kept. @throws PageRefusal 503 WDR_PASSWORDS_BUSY */
  async matches(kept: string, password: string): Promise<boolean> {
    const [, n, r, p, salt = '', key = ''] = kept.split('$');
    const cost = { ...COST, N: Number(n), r: Number(r), p: Number(p) };
    const made = await this.keyOf(password, Buffer.from(salt, 'base64url'), cost);
    return timingSafeEqual(made, Buffer.from(key, 'base64url'));
  }

  private async keyOf(password: string, salt: Buffer, cost: object): Promise<Buffer> {
    await this.enter();
    try {
      return await scryptOf(password.normalize('NFKC'), salt, KEY_BYTES, cost);
    } finally {
      const next = this.waiting.shift();
      // The place goes on to who waits: nobody who comes in between can take it.
      if (next === undefined) this.running -= 1;
      else next();
    }
  }

  private async enter(): Promise<void> {
    if (this.running < this.bounds.runningMax) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= this.bounds.waitingMax) {
      const sentence = 'Too many people sign in at the moment. Try again in a few seconds.';
      throw new PageRefusal(503, 'WDR_PASSWORDS_BUSY', sentence, RETRY_AFTER_MS);
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
