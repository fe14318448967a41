import type { IncomingMessage } from 'node:http';
import { Refusal } from '../pipeline/refusal.js';
import { Chain, type Linked } from './chain.js';

interface Pending extends Linked {
  readonly startedAtMs: number;
  fail(refusal: Refusal): void;
}

const SWEEP_EVERY_MS = 1_000;
/** How many bodies' worth of bytes is thrown away after a refusal, so that the client gets to read it. */
const DISCARDED_BODIES_MAX = 4;

/** Reads bodies within a bound of bytes and of time. One timer watches all of them. */
export class BodyReader {
  private readonly pending = new Chain<Pending>();
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly bounds: { readonly bodyBytesMax: number; readonly bodyTimeoutMs: number },
    private readonly monotonicMs: () => number,
  ) {
    this.sweeper = setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref();
  }

  /**
   * Reads a body whole.
   * @param onRead - called once: with the text, or with the refusal (WDR_BODY_TOO_LARGE, WDR_BODY_TIMEOUT); not at all
   * when the client goes away
   */
  read(request: IncomingMessage, onRead: (body: string | Refusal) => void): void {
    const { bodyBytesMax } = this.bounds;
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let bytes = 0;
    let isOver = false;
    const finish = (body: string | Refusal) => {
      if (isOver) return;
      isOver = true;
      this.pending.remove(pending);
      onRead(body);
    };
    const pending: Pending = { startedAtMs: this.monotonicMs(), fail: finish, before: undefined, after: undefined };
    this.pending.add(pending);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) {
        first = rest = undefined;
        finish(tooLarge(bodyBytesMax));
        if (bytes > DISCARDED_BODIES_MAX * bodyBytesMax) request.destroy();
      } else if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    });
    request.on('end', () => finish(rest ? Buffer.concat(rest).toString('utf8') : (first?.toString('utf8') ?? '')));
    request.on('close', () => {
      isOver = true;
      this.pending.remove(pending);
    });
  }

  /** Refuses the bodies that took too long. */
  sweep(): void {
    const oldestMs = this.monotonicMs() - this.bounds.bodyTimeoutMs;
    for (const pending of this.pending) {
      if (pending.startedAtMs > oldestMs) return;
      pending.fail(new Refusal('WDR_BODY_TIMEOUT', 'The message did not arrive in time', 'the body trickled'));
    }
  }

  close(): void {
    clearInterval(this.sweeper);
  }
}

/** The refusal of a message past the bound. */
export function tooLarge(bodyBytesMax: number): Refusal {
  const detail = `the body is longer than ${bodyBytesMax} bytes`;
  return new Refusal('WDR_BODY_TOO_LARGE', `A message may have ${bodyBytesMax} bytes at most`, detail);
}
