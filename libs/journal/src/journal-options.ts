import type { KeyObject } from 'node:crypto';
import type { BusLog, KafkaBusOptions, RawEntry } from '@warder/bus';
import type { JournalFiles } from './journal-files.js';

/** The part of a pino logger that the journal uses. */
export type JournalLog = BusLog;

/** Where the Kafka of the draining thread is and who it is there; passed to the thread as it is. */
export type KafkaDrainOptions = Pick<KafkaBusOptions, 'node' | 'service' | 'brokers' | 'sasl' | 'tls'>;

/**
 * Where records go. `kafka` reads and sends in a thread of its own; `publish` runs on the thread of the caller and
 * resolves when every entry is acknowledged.
 */
export type JournalDrain =
  | { readonly kind: 'kafka'; readonly options: KafkaDrainOptions }
  | {
      readonly kind: 'publish';
      publish(entries: readonly RawEntry[]): Promise<void>;
      /** Publishes one checkpoint; where it is not given there are none. */
      publishCheckpoint?(entry: RawEntry): Promise<void>;
    };

/** Signed heads of the logs. */
export interface CheckpointOptions {
  /** Ed25519. */
  readonly privateKey: KeyObject;
  /** Milliseconds between two of them while there is something new: 10,000 if not given. */
  readonly everyMs?: number;
}

export interface JournalOptions {
  /** The directory of all journals of this machine; each log is `<dir>/<node>/<id>`. */
  readonly dir: string;
  /** Letters, digits, `.`, `_` and `-`. */
  readonly node: string;
  /** Bytes on disk of the node's own log at most; at least two segments. */
  readonly sizeMaxBytes: number;
  /** Bytes of one segment: 64 MiB if not given, at least 256 KiB. */
  readonly segmentBytes?: number;
  readonly drain: JournalDrain;
  /** There are no checkpoints if not given. */
  readonly checkpoints?: CheckpointOptions | undefined;
  /** Publishes nothing until `resume`, not even what an earlier process left. */
  readonly isPaused?: boolean;
  readonly log: JournalLog;
  /** @property wallMs - the system's clock if not given */
  readonly clock: { monotonicMs(): number; wallMs?(): number };
  /** Milliseconds in which written bytes are on the disk, and the time of one sync; 20 if not given. */
  readonly syncEveryMs?: number;
  /** Bytes that undelivered records of refusals before identification may hold: a sixteenth of the size if not given. */
  readonly refusalsMaxBytes?: number;
  /** The calls that change files: Node's own if not given. */
  readonly files?: JournalFiles;
  /** How long `close` waits for the last acknowledgement: 5,000 ms if not given. */
  readonly closeTimeoutMs?: number;
}

export const SEGMENT_BYTES = 67_108_864;
export const SEGMENT_BYTES_MIN = 262_144;
export const SYNC_EVERY_MS = 20;
export const CHECKPOINT_EVERY_MS = 10_000;
export const CLOSE_TIMEOUT_MS = 5_000;
