import { z } from 'zod';

/** Connections to accounts at other services. */
export const ConnectionsConfig = z.strictObject({
  /** Hosts (with their port, where it is not that of the scheme) of providers that may be at private addresses. */
  privateHosts: z.array(z.string().min(1)).max(1_000).default([]),
  /** Authorities trusted at providers in place of the system's, PEM. */
  caFile: z.string().min(1).optional(),
  /** Milliseconds from a request to a provider to the last byte of its answer. */
  requestTimeoutMs: z.int().min(100).max(120_000).default(20_000),
  /** Refreshes at a time in one process. */
  refreshesMax: z.int().min(1).max(1_000).default(16),
  /** Milliseconds between two looks for what is due. */
  lookEveryMs: z.int().min(20).max(60_000).default(1_000),
  /** Changes that one person may make on the page in a minute. */
  changesPerMinute: z.int().min(1).max(10_000).default(30),
  /** Requests to the page that one address may send in a minute, a third of them at once. */
  requestsPerMinute: z.int().min(1).max(100_000).default(600),
  /** The keys with which our client proves itself where a provider takes `private_key_jwt`. */
  clientKeys: z
    .strictObject({
      /** Days after which a key is followed by another. */
      days: z.int().min(1).max(3_650).default(90),
      /** Minutes that a key is told of before it signs: longer than servers keep what they read. */
      aheadMinutes: z.int().min(1).max(10_080).default(60),
      /** Minutes that a key is told of after it signed for the last time. */
      overlapMinutes: z.int().min(2).max(10_080).default(60),
    })
    .prefault({}),
});
export type ConnectionsConfig = z.infer<typeof ConnectionsConfig>;
