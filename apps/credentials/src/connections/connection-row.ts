import type { Connection } from './connection.entity.js';

/** Without its tokens. */
export const FORGOTTEN = {
  accessToken: null,
  refreshToken: null,
  expiresAtMs: null,
  refreshAtMs: null,
  intent: null,
} as const;

/** Who acts where nobody asked. */
export const ITSELF = { principal: null, token: null, address: '' } as const;

/** What a record tells of a connection. */
export function recordedOf(row: Connection): Record<string, unknown> {
  const { id, version, kind, provider, principalId, accountId, accountName, generation } = row;
  return { id, version, kind, provider, principalId, accountId, accountName, generation };
}
