import { z } from 'zod';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';

/** That an upstream has a static credential, and which kind; never the secret itself. */
export const ConnectionState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'revoked']),
  /** `static/<upstream>`: shared by all who may call it. */
  id: z.string(),
  upstream: z.string(),
  kind: z.enum(['header', 'environment']),
  /** Header or variable name. */
  name: z.string(),
});
export type ConnectionState = z.infer<typeof ConnectionState>;

export const connectionStateTopic: Topic<ConnectionState> = {
  name: 'warder.connection.state.v1',
  key: 'connection id',
  schema: ConnectionState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 1_048_576,
  writers: ['credentials'],
  readers: ['ingress', 'credentials'],
  example: {
    version: 2,
    status: 'active',
    id: 'static/everything',
    upstream: 'everything',
    kind: 'header',
    name: 'authorization',
  },
};
