import { createRequire } from 'node:module';

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
}

let isPatched = false;

/**
 * Stops the timer that kafkajs 2.2.4 runs every millisecond on each idle connection: it costs 3.6 % of a core per
 * process and prints a TimeoutNegativeWarning on Node 24.
 * @see https://github.com/tulios/kafkajs/issues/1704
 */
export function stopIdleTimer(): void {
  if (isPatched) return;
  isPatched = true;
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue & { scheduleCheckPendingRequests: () => void };
  };
  const schedule = queue.prototype.scheduleCheckPendingRequests;
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    schedule.call(this);
  };
}
