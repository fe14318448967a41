import { z } from 'zod';
import type { Topic } from '../topic.js';

/** A keyed hash: of a run's name, or of a value that an answer brought. */
const Keyed = z.string().max(64);

/**
 * What an answer added to a run, for the other nodes: labels and keyed hashes, never text. A `mark` is a node's own
 * sign of life: it reads it back, and so knows that it has read what others wrote before.
 */
export const RunState = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('seen'),
    node: z.string(),
    atMs: z.number(),
    /** Of principal, client and virtual server, and of what the client calls the run, where it does. */
    runs: z.array(Keyed).min(1).max(2),
    callId: z.string().max(100),
    /** Canonical, `upstream/tool`. */
    tool: z.string().max(300),
    /** Of the tool's labels, as the flow policy numbers them. */
    bits: z.int().min(0).max(63),
    values: z.array(Keyed).max(4_096),
    /** More was in it than is remembered. */
    isUnknown: z.boolean(),
    /** Milliseconds without a call after which the run is over. */
    windowMs: z.int().min(1_000),
  }),
  z.object({ kind: z.literal('mark'), node: z.string(), atMs: z.number(), mark: z.string().max(100) }),
]);
export type RunState = z.infer<typeof RunState>;

export const runStateTopic: Topic<RunState> = {
  name: 'warder.run.state.v1',
  key: 'run, or node',
  schema: RunState,
  cleanup: 'delete',
  // One order for all: a mark that came back proves that everything before it was read.
  partitions: 1,
  retentionMs: 86_400_000,
  messageBytesMax: 262_144,
  writers: ['ingress'],
  readers: ['ingress'],
  example: {
    kind: 'seen',
    node: 'ingress-1',
    atMs: 1_790_000_000_000,
    runs: ['q1w2e3r4t5y6u7i8'],
    callId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
    tool: 'wiki/read-page',
    bits: 1,
    values: ['a1b2c3d4e5f6g7h8'],
    isUnknown: false,
    windowMs: 1_800_000,
  },
};
