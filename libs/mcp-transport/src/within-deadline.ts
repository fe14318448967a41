import type { CallSignal } from './upstream.js';
import { UpstreamFailure } from './upstream-failure.js';

/**
 * Waits for a connection that is shared with others and goes on without this caller.
 * @throws UpstreamFailure that has not acted, whatever it is: the call itself has not left
 */
export function withinDeadline<T>(work: Promise<T>, timeoutMs: number, signal?: CallSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = () => end(() => reject(new UpstreamFailure('cancelled', 'the call was cancelled', false)));
    const onTimeout = () =>
      end(() => reject(new UpstreamFailure('timeout', `no connection within ${timeoutMs} ms`, false)));
    const timer = setTimeout(onTimeout, timeoutMs);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    work.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(unsent(error))),
    );
  });
}

function unsent(error: unknown): unknown {
  if (!(error instanceof UpstreamFailure) || !error.mayHaveActed) return error;
  return new UpstreamFailure(error.reason, error.message, false, error.status);
}
