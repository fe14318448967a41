import { z } from 'zod';
import { ConnectionKind } from '../connection-bodies.js';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';

/** That an upstream has a static credential, and which kind; never the secret itself. */
export const StaticConnectionState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'revoked']),
  /** `static/<upstream>`: shared by all who may call it. */
  id: z.string(),
  upstream: z.string(),
  kind: z.enum(['header', 'environment']),
  /** Header or variable name. */
  name: z.string(),
});
export type StaticConnectionState = z.infer<typeof StaticConnectionState>;

/** A link to an account at a provider of credentials, as every node knows it; never one of its tokens. */
export const AccountConnectionState = z.object({
  version: StateVersion,
  /** `reconnect_required`: the provider takes its tokens no more; `disconnected`: its owner ended it; `revoked`: its owner left. */
  status: z.enum(['active', 'reconnect_required', 'revoked', 'disconnected']),
  /** `con_…` */
  id: z.string(),
  kind: ConnectionKind,
  provider: z.string(),
  /** Whose it is; null for one that all who may call its upstreams share. */
  principalId: z.string().nullable(),
  /** Id of the account at the provider, where the provider says it. */
  accountId: z.string().nullable(),
  /** Grows with each access token: a lease of an older one is superseded. */
  generation: z.int().min(0),
  /** Wall milliseconds at which the access token ends; null where the provider did not say. */
  expiresAtMs: z.number().nullable(),
  scopes: z.array(z.string()),
});
export type AccountConnectionState = z.infer<typeof AccountConnectionState>;

export const ConnectionState = z.discriminatedUnion('kind', [StaticConnectionState, AccountConnectionState]);
export type ConnectionState = z.infer<typeof ConnectionState>;

/** Whether the state is of a static credential and not of an account. */
export function isStaticConnection(state: ConnectionState): state is StaticConnectionState {
  return state.kind === 'header' || state.kind === 'environment';
}

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
