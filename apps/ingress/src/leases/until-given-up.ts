import type { GivenUp } from './lease-transport.js';

/** Waits for the work; rejects with the signal's reason when that fires first. */
export async function untilGivenUp(work: Promise<void>, signal: GivenUp): Promise<void> {
  signal.throwIfAborted();
  let abort = (): void => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([work, givenUp]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
