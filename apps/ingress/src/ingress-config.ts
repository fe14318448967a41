import { z } from 'zod';

const Secret = z.string().min(32).max(1_024);
const Bytes = z.int().min(1_024);
const Ms = z.int().min(1).max(86_400_000);

/** Bounds of the door and of what runs behind it. */
const Limits = z.strictObject({
  /** A client's message, bytes. */
  bodyBytesMax: Bytes.default(4 * 1024 * 1024),
  /** From the first header to the last byte of a client's message, milliseconds. */
  bodyTimeoutMs: Ms.default(30_000),
  /** A longer message is read only from a caller that is known already, bytes. */
  strangerBodyBytesMax: Bytes.default(64 * 1024),
  /** All messages that are being received at a time; past it only such short ones are read, bytes. */
  receivingBytesMax: Bytes.default(256 * 1024 * 1024),
  /** Requests of one address (IPv6: one /64) before anyone is identified. */
  addressRequestsPerMinute: z.int().min(1).default(60_000),
  addressBurst: z.int().min(1).default(5_000),
  addressesMax: z.int().min(1).default(50_000),
  /** Principals whose bucket is remembered. */
  principalsMax: z.int().min(1).default(200_000),
  /** Runs of agents whose labels and hashed values are remembered; past it the one used longest ago goes. */
  runsMax: z.int().min(100).default(20_000),
  /** Hashed values of all runs together, at about 100 bytes each. */
  runValuesMax: z.int().min(10_000).default(1_000_000),
  /** Operations that run at a time on this node. */
  runningMax: z.int().min(1).default(10_000),
  /**
   * Streams of changes that stand open on this node; fewer than a balancer's connections to one (`socketsPerNodeMax`),
   * or they would leave none for calls.
   */
  subscriptionsMax: z.int().min(1).default(2_000),
  /** Of these, those of one principal. */
  subscriptionsPerPrincipalMax: z.int().min(1).default(20),
  /** Milliseconds at least between two looks at whether a list is another one; what changes meanwhile is told once. */
  changesEveryMs: Ms.default(500),
  /** Bytes that wait for a client that reads too slowly, until its call is given up. */
  streamBufferBytesMax: Bytes.default(1024 * 1024),
  /** Milliseconds in which a client must take something of an answer that waits for it, or the connection ends. */
  readTimeoutMs: Ms.default(30_000),
  /** All answers that wait so; past it the one that has waited longest ends, bytes. */
  unreadBytesMax: Bytes.default(256 * 1024 * 1024),
  /** Milliseconds between two comments on a silent stream; proxies give up after 30-60 s. */
  keepAliveMs: Ms.max(15_000).default(10_000),
  /** Milliseconds that a legacy session id stays good. */
  sessionAgeMaxMs: z.int().min(60_000).default(86_400_000),
  /** Milliseconds of one window in which refusals before identification are counted together. */
  refusalWindowMs: Ms.default(10_000),
  /** Records that such a window may leave. */
  refusalRecordsPerWindowMax: z.int().min(10).default(1_000),
  /** Milliseconds between two listings of one upstream's tools. */
  discoveryEveryMs: Ms.default(300_000),
});

const Watchdog = z.strictObject({
  /** Milliseconds of silence of identity after which `/readyz` says that the node is degraded. */
  degradedAfterMs: Ms.default(30_000),
  /** Milliseconds of silence after which nobody is let in any more; `never` leaves revocation to chance. */
  failClosedAfterMs: z.union([z.int().min(1_000), z.literal('never')]).default(900_000),
});

const Journal = z.strictObject({
  /** The directory of all journals of this machine. */
  dir: z.string().min(1),
  /** Bytes on disk of this node's journal at most. */
  sizeMaxBytes: z.int().min(1_048_576).default(1_073_741_824),
  segmentBytes: z.int().min(262_144).optional(),
  /** Milliseconds in which every written byte is on the disk, and the time of one sync. */
  syncEveryMs: z.int().min(1).max(1_000).default(20),
  /**
   * What a full or failing journal does with calls: it refuses them, or lets those of servers that are not strict go on
   * unrecorded, counts them, and tells of them in one record when there is room again.
   */
  onFull: z.enum(['refuse', 'drop-and-count']).default('refuse'),
  /** Bytes that records of refusals before identification may hold until they are delivered. */
  refusalsMaxBytes: z.int().min(65_536).default(16_777_216),
  /** Percent of `sizeMaxBytes` that is undelivered from which on `/readyz` says that the node is degraded. */
  degradedAtPercent: z.int().min(1).max(100).default(75),
  /** Milliseconds between two signed heads of the log, where there is something new. */
  checkpointEveryMs: z.int().min(100).max(3_600_000).default(10_000),
  /** Records are kept and not published, until the process starts without it. */
  isDrainPaused: z.boolean().default(false),
});

const Leases = z.strictObject({
  /**
   * The node's Ed25519 key, made the first time; must outlive the process, and be closed to others. For a bus of one process:
   * on a broker the node is known by `bus.signing.identityFile`, for leases too.
   */
  identityFile: z.string().min(1).optional(),
  /** By which the node then comes in at first; of no use afterwards. */
  joinToken: Secret.optional(),
  /** Leases in memory; past it the one that was used longest ago goes. */
  heldMax: z.int().min(1).default(10_000),
  /** Milliseconds after its last use that a lease is kept, and renewed. */
  idleMs: Ms.default(600_000),
  /** Milliseconds that a call waits for a lease that is not there. */
  coldWaitMs: z.int().min(1).max(2_000).default(2_000),
});

const Approvals = z.strictObject({
  /** Milliseconds that a held call waits for the owner of approvals to look its own up. */
  waitMs: z.int().min(50).max(4_000).default(2_000),
  /** Held calls that wait so at a time on this node. */
  waitingMax: z.int().min(1).default(1_000),
});

/** What an ingress node is told; every key beyond these is an error. */
export const IngressConfig = z.strictObject({
  journal: Journal,
  /** Sealed copy of the last good state, for a start while the bus is away. */
  replicaFile: z.string().min(1),
  /** The commands that stdio upstreams may name; they stand nowhere else. */
  stdioFile: z.string().min(1).optional(),
  /** The same on every node: seals legacy session ids and the replica file. */
  sessionKey: Secret,
  /** Peppers of token digests by key id, the current one first. */
  peppers: z.record(z.string(), Secret),
  leases: Leases.prefault({}),
  approvals: Approvals.prefault({}),
  /** The internal listener of the audit service, `http://host:port`, and the key that it has too. */
  audit: z.strictObject({ url: z.url({ protocol: /^http$/ }), mcpKey: Secret }).optional(),
  limits: Limits.prefault({}),
  watchdog: Watchdog.prefault({}),
});
export type IngressConfig = z.infer<typeof IngressConfig>;
