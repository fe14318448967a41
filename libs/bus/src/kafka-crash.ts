import { BusError } from './bus.js';

/**
 * Whether a crash of a consumer is explained by the broker or the network: kafkajs has names of its own for what a
 * broker answers and what a connection does, and Node puts a code on system errors. All else (TypeError, RangeError, …)
 * is a bug, in the library or here, after which nobody knows what the consumer holds.
 */
export function isOutage(error: unknown): boolean {
  const cause = rootOf(error);
  if (cause instanceof BusError || !(cause instanceof Error)) return true;
  if (cause.name.startsWith('KafkaJS')) return true;
  const { code } = cause as NodeJS.ErrnoException;
  return cause.constructor === Error && typeof code === 'string' && /^E[A-Z]+$/.test(code);
}

/** Ends the process by an error that nobody catches: the orchestrator starts one whose consumer is whole. */
export function endProcess(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}

function rootOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause;
}
