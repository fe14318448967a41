const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 2_000;

/**
 * Runs the work until it succeeds or the signal is aborted, waiting 50 ms, then twice as long, at most 2 s.
 * @returns whether it succeeded
 */
export async function untilItSucceeds(
  work: () => Promise<unknown>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<boolean> {
  for (let delayMs = FIRST_DELAY_MS; !signal.aborted; delayMs = Math.min(delayMs * 2, LAST_DELAY_MS)) {
    try {
      await work();
      return true;
    } catch (error) {
      onFailure(error);
    }
    await pause(delayMs, signal);
  }
  return false;
}

/** Resolves after the delay or as soon as the signal is aborted; does not keep the process alive. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    timer.unref();
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
