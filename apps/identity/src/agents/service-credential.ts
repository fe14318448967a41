/** A credential of a service account as it is told of; a secret's text is told once, by the answer that issued it. */
export interface ServiceCredentialView {
  readonly id: string;
  readonly kind: 'secret' | 'keys';
  readonly name: string;
  readonly status: 'active' | 'ended' | 'expired';
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly jwksUri: string | null;
}

/** As it stands in the table `service_credential`. */
export interface CredentialRow {
  readonly id: string;
  readonly principal_id: string;
  readonly kind: 'secret' | 'keys';
  readonly name: string;
  readonly status: 'active' | 'ended';
  readonly jwks: object | null;
  readonly jwks_uri: string | null;
  readonly created_at_ms: string;
  readonly expires_at_ms: string | null;
}

/**
 * The credential as it is told of.
 * @param nowMs - epoch milliseconds, by which an active one may have expired
 */
export function viewOf({ id, kind, name, status, ...row }: CredentialRow, nowMs: number): ServiceCredentialView {
  const expiresAtMs = row.expires_at_ms === null ? null : Number(row.expires_at_ms);
  const isExpired = status === 'active' && expiresAtMs !== null && expiresAtMs <= nowMs;
  return {
    id,
    kind,
    name,
    status: isExpired ? 'expired' : status,
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs,
    jwksUri: row.jwks_uri,
  };
}
