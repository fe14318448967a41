import { type DrainHost, LocalDrainHost } from './drain-host.js';
import { DrainThread } from './drain-thread.js';
import { CHECKPOINT_EVERY_MS, type JournalOptions } from './journal-options.js';

/** What drains a journal: a thread where there is a broker to reach, this thread where there is none. */
export function drainHostOf({ drain, log, clock, checkpoints }: JournalOptions): DrainHost {
  const signed = checkpoints && { everyMs: CHECKPOINT_EVERY_MS, ...checkpoints };
  if (drain.kind === 'kafka') return new DrainThread({ kafka: drain.options, checkpoints: signed }, log);
  const wallMs = (): number => clock.wallMs?.() ?? Date.now();
  const monotonicMs = (): number => clock.monotonicMs();
  const publish = drain.publishCheckpoint?.bind(drain);
  return new LocalDrainHost({
    log,
    publish: (entries) => drain.publish(entries),
    checkpoints: signed && publish && { ...signed, log, clock: { wallMs, monotonicMs }, publish },
  });
}
