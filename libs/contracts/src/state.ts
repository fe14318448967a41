import { z } from 'zod';

/**
 * Every value of a compacted topic starts with these. `version` comes from the owner's database and only grows per
 * key; `revoked` and `removed` are values, kept until nobody can present the thing any more.
 */
export const StateVersion = z.int().min(1);

/** Key under which an owner says that it is alive; the age of its value is the staleness of the whole topic. */
export const HEARTBEAT_KEY = '~heartbeat';
/** Key prefix under which an owner answers a node that asked whether it has read everything. */
export const MARKER_KEY_PREFIX = '~marker/';
/** Key under which an owner writes a number behind everything that it has sent; nodes say the last one they came to. */
export const MARK_KEY = '~mark';

/** What an owner writes under `HEARTBEAT_KEY`, `MARK_KEY` and `MARKER_KEY_PREFIX` + node. */
export const ControlState = z.discriminatedUnion('control', [
  z.object({ control: z.literal('heartbeat'), atMs: z.number() }),
  z.object({ control: z.literal('marker'), node: z.string(), nonce: z.string(), atMs: z.number() }),
  z.object({ control: z.literal('mark'), number: z.int().min(1), atMs: z.number() }),
]);
export type ControlState = z.infer<typeof ControlState>;
