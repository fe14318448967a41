import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { createKafkaBus } from '@warder/bus';
import { auditCheckpointTopic, auditRecordedTopic } from '@warder/contracts';
import { LocalDrainHost } from './drain-host.js';
import type { DrainOrder, DrainReport, DrainThreadOptions } from './drain-thread.js';
import type { JournalLog } from './journal-options.js';
import { LogProgress } from './log-progress.js';

/** Also the time in which records gather to a batch. */
const LOOK_EVERY_MS = 20;
/** How long the broker's client may take to say good-bye. */
const CLOSE_WITHIN_MS = 1_000;

const port = parentPort!;
const report = (what: DrainReport): void => port.postMessage(what);
const say =
  (level: keyof JournalLog) =>
  (fields: object, message: string): void =>
    report({ kind: 'log', level, fields: readable(fields), message });
const log: JournalLog = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };

const { kafka, checkpoints } = workerData as DrainThreadOptions;
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const bus = createKafkaBus({ ...kafka, log, clock });
const host = new LocalDrainHost({
  log,
  publish: (entries) => bus.publishRaw(auditRecordedTopic, entries),
  checkpoints: checkpoints && {
    ...checkpoints,
    log,
    clock,
    publish: (entry) => bus.publishRaw(auditCheckpointTopic, [entry]),
  },
});
host.onLost = (name, lost) => report({ kind: 'lost', name, lost });
const timer = setInterval(() => host.wake(), LOOK_EVERY_MS);

// An order that fails ends the thread: its owner says so, and starts another one with every log.
port.on('message', (order: DrainOrder) => void obey(order));

async function obey(order: DrainOrder): Promise<void> {
  if (order.kind === 'add') {
    host.add({ name: order.name, dir: order.dir, progress: new LogProgress(order.shared) });
  } else if (order.kind === 'pause') {
    host.setPaused(order.isPaused);
  } else if (order.kind === 'remove') {
    await host.remove(order.name);
    report({ kind: 'removed', name: order.name });
  } else {
    clearInterval(timer);
    await host.stop();
    setTimeout(exit, CLOSE_WITHIN_MS);
    await bus.close();
    exit();
  }
}

/**
 * Ends the thread, and nothing but the thread. With its port closed it would stay as long as the broker's client tries
 * to send, and that is for ever while the broker is away.
 */
function exit(): void {
  process.exit();
}

/** Errors keep their message when they are copied between threads, other things may not be copied at all. */
function readable(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error || typeof value !== 'object' ? value : JSON.stringify(value),
    ]),
  );
}
