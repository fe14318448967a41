import { z } from 'zod';
import { firstBadNetwork, isLoopback } from './door.js';

/** Events that wait for their readers on the disk of an in-process bus. */
export const EventSettings = z.strictObject({
  dir: z.string().min(1),
  /** Bytes of one topic: past them publishers are refused while a group has not read the oldest. */
  topicBytesMax: z.int().min(67_108_864).default(1_073_741_824),
  /** Milliseconds for which a group that nothing handles keeps what it has not read. */
  groupKeptMs: z.int().min(3_600_000).default(604_800_000),
});

/** Milliseconds that a handler may be at one batch; past them the process counts as stuck. */
const HandlerMaxMs = z.int().min(1_000).default(600_000);

const BusSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('in-process'), events: EventSettings.optional(), handlerMaxMs: HandlerMaxMs }),
  z.strictObject({
    kind: z.literal('kafka'),
    brokers: z.array(z.string().regex(/^[^\s:]+:\d+$/, 'a broker is host:port')).min(1),
    sasl: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }).optional(),
    tls: z.strictObject({ caFile: z.string().min(1).optional() }).optional(),
    handlerMaxMs: HandlerMaxMs,
    /** Milliseconds that a durable group may fetch nothing while the broker answers others. */
    fetchSilentMaxMs: z.int().min(10_000).default(60_000),
    signing: z
      .strictObject({
        /** Ed25519, PEM: signs the heads of audit logs; the registrar's signs its state and everybody's certificates. */
        keyFile: z.string().min(1),
        /** Directory of `<service>.pub`; of the registrar there may be more, `<service>.<any>.pub`. */
        publicKeysDir: z.string().min(1),
        /** The key of this process, made at the first start; must outlive it. The registrar needs none. */
        identityFile: z.string().min(1).optional(),
        /** By which this process comes in at first; of no use afterwards. */
        joinToken: z.string().min(32).optional(),
      })
      .optional(),
  }),
]);

/** Bounds of the listener; milliseconds, bytes and counts. */
const ListenerBounds = z.strictObject({
  bodyBytesMax: z.int().min(1_024).default(9_437_184),
  headerBytesMax: z.int().min(1_024).default(16_384),
  headersTimeoutMs: z.int().min(100).default(10_000),
  /** Until the last byte of the request has come; an answer may take longer. */
  requestTimeoutMs: z.int().min(100).default(30_000),
  keepAliveTimeoutMs: z.int().min(100).default(65_000),
  connectionsMax: z.int().min(1).default(10_000),
  /** Running requests may take this long after SIGTERM, and the drains of the services as long again. */
  drainTimeoutMs: z.int().min(0).default(10_000),
});

/** What the admin doors ask of those who change something there. */
const AdminSettings = z.strictObject({
  /** Minutes for which a person's sign-in is good for a change, and for what matters in their account. */
  recentSignInMinutes: z.int().min(1).max(1_440).default(15),
  /** What a personal token may do at the admin doors: whatever its owner may, or only read. */
  personalTokens: z.enum(['change', 'read']).default('change'),
});

/** The keys that every process has, beside its service's own. */
export const HostSettings = z.strictObject({
  node: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'a node name is 1-64 of letters, digits, ".", "_" and "-"')
    .optional(),
  listen: z
    .strictObject({ host: z.string().min(1).default('127.0.0.1'), port: z.int().min(0).max(65_535).default(8080) })
    .prefault({}),
  /**
   * A second listener, for other services only and without TLS: what is mounted on it is no part of the door. Port 0 is
   * a free one.
   */
  internal: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }).optional(),
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  tls: z.strictObject({ certificateFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
  trustedProxies: z
    .array(z.string())
    .refine((networks) => firstBadNetwork(networks) === undefined, 'a trusted proxy is an address or a network (CIDR)')
    .default([]),
  admin: AdminSettings.prefault({}),
  bus: BusSettings,
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
  bounds: ListenerBounds.prefault({}),
});
export type HostSettings = z.infer<typeof HostSettings>;

/**
 * Whether tokens would cross a network in clear: plain HTTP is for loopback, or behind a proxy that is named.
 * @returns the sentence to refuse with
 */
export function plainHttpRefusal(settings: HostSettings): string | undefined {
  if (settings.trustedProxies.length > 0) return;
  if (settings.internal !== undefined && !isLoopback(settings.internal.host))
    return `internal.host ${settings.internal.host} is not loopback: name the network of the services in trustedProxies`;
  if (settings.tls !== undefined || isLoopback(settings.listen.host)) return;
  return `listen.host ${settings.listen.host} is not loopback: set tls (certificateFile, keyFile), or name the proxy that ends TLS in trustedProxies`;
}
