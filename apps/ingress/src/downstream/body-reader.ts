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

export interface BodyBounds {
  readonly bodyBytesMax: number;
  readonly bodyTimeoutMs: number;
  /** Bodies up to this length are read however much the others hold. */
  readonly strangerBodyBytesMax: number;
  /** Bytes that all bodies may hold while they are being received. */
  readonly receivingBytesMax: number;
}

/** Reads bodies within a bound of bytes and of time, each and all together. One timer watches all of them. */
export class BodyReader {
  private readonly pending = new Chain<Pending>();
  private readonly sweeper: NodeJS.Timeout;
  private heldBytes = 0;

  constructor(
    private readonly bounds: BodyBounds,
    private readonly monotonicMs: () => number,
  ) {
    this.sweeper = setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref();
  }

  /**
   * Reads a body whole.
   * @param onRead - called once: with the text, or with the refusal (WDR_BODY_TOO_LARGE, WDR_BODY_TIMEOUT,
   * WDR_OVERLOADED); not at all when the client goes away
   */
  read(request: IncomingMessage, onRead: (body: string | Refusal) => void): void {
    const { bodyBytesMax } = this.bounds;
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let bytes = 0;
    let isOver = false;
    const end = () => {
      isOver = true;
      this.heldBytes -= bytes;
      first = rest = undefined;
      this.pending.remove(pending);
    };
    const finish = (body: string | Refusal) => {
      if (isOver) return;
      end();
      onRead(body);
    };
    const pending: Pending = { startedAtMs: this.monotonicMs(), fail: finish, before: undefined, after: undefined };
    this.pending.add(pending);
    request.on('data', (chunk: Buffer) => {
      if (isOver) {
        bytes += chunk.length;
        if (bytes > DISCARDED_BODIES_MAX * bodyBytesMax) request.destroy();
        return;
      }
      bytes += chunk.length;
      this.heldBytes += chunk.length;
      const refusal = this.refusalAt(bytes);
      if (refusal !== undefined) return finish(refusal);
      if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    });
    request.on('end', () => finish(rest ? Buffer.concat(rest).toString('utf8') : (first?.toString('utf8') ?? '')));
    request.on('close', () => {
      if (!isOver) end();
    });
  }

  /** Why a body that has grown to so many bytes is read no further. */
  private refusalAt(bytes: number): Refusal | undefined {
    const { bodyBytesMax, strangerBodyBytesMax, receivingBytesMax } = this.bounds;
    if (bytes > bodyBytesMax) return tooLarge(bodyBytesMax);
    // Whoever holds much is asked to come again, not whoever comes last: small messages always pass.
    if (bytes <= strangerBodyBytesMax || this.heldBytes <= receivingBytesMax) return undefined;
    const facts = { retryAfterMs: 1_000 };
    return new Refusal(
      'WDR_OVERLOADED',
      'The gateway is busy, try again in a moment',
      'limits.receivingBytesMax',
      facts,
    );
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
