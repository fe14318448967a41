import { z } from 'zod';

const NodeUrl = z.url({ protocol: /^http$/ });

/** Which nodes stand behind the door. Every bound in milliseconds. */
export const BalancerConfig = z.strictObject({
  /** Nodes that share `/mcp`; any of them can take any request. */
  ingress: z.array(NodeUrl).min(1).max(100),
  /** `/admin/<name>` goes to this one, and `/scim` to identity. */
  services: z.record(z.string().regex(/^[a-z]+$/), NodeUrl),
  healthIntervalMs: z.int().min(50).default(500),
  healthTimeoutMs: z.int().min(50).default(1_000),
  connectTimeoutMs: z.int().min(50).default(2_000),
  /** Without a byte in either direction. */
  idleTimeoutMs: z.int().min(1_000).default(3_660_000),
  socketsPerNodeMax: z.int().min(1).default(4_096),
});
export type BalancerConfig = z.infer<typeof BalancerConfig>;
