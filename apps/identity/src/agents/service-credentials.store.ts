import { randomBytes } from 'node:crypto';
import type { IssueSecret, Pepper, SetKeys } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { digestOf, isWellFormed, issueToken, SECRET_PREFIX } from '@warder/tokens';
import type { AdapterPayload } from 'oidc-provider';
import type { EntityManager } from 'typeorm';
import type { GrantsStore } from '../authorization/grants.store.js';
import type { EndsAccess } from '../ends-access.store.js';
import type { IdentityStore } from '../identity.store.js';
import type { ServiceAccountsStore } from './service-accounts.store.js';
import { AGENT_GRANTS } from './agent-grants.js';
import { type CredentialRow, type ServiceCredentialView, viewOf } from './service-credential.js';

const DAY_MS = 86_400_000;

/** With what a service account proved itself. */
export interface UsedCredential {
  readonly id: string;
  readonly by: 'secret' | 'private_key_jwt';
  readonly expiresAtMs: number | null;
}

/**
 * Secrets or public keys by which service accounts come for their tokens. A credential is the grant of what was issued
 * by it: its end ends all of that, on every node.
 */
export class ServiceCredentialsStore implements EndsAccess {
  readonly what = 'credentials';

  /** @param secretsMax - active secrets of one service account */
  constructor(
    private readonly store: IdentityStore,
    private readonly grants: GrantsStore,
    private readonly accounts: ServiceAccountsStore,
    private readonly pepper: Pepper,
    private readonly secretsMax: number,
  ) {}

  /** @throws AdminError 404 WDR_SERVICE_ACCOUNT_UNKNOWN */
  async list(principalId: string): Promise<ServiceCredentialView[]> {
    const { manager } = this.store.source;
    await this.accounts.find(manager, principalId);
    const rows: CredentialRow[] = await manager.query(
      'SELECT * FROM service_credential WHERE principal_id = $1 ORDER BY id DESC LIMIT 100',
      [principalId],
    );
    return rows.map((row) => viewOf(row, this.store.wallMs()));
  }

  /**
   * Issues a secret; the answer is the one place where its text ever stands.
   * @throws AdminError 404 WDR_SERVICE_ACCOUNT_UNKNOWN; 409 WDR_PRINCIPAL_REMOVED, WDR_CREDENTIAL_KIND or
   * WDR_CREDENTIAL_LIMIT
   */
  async issueSecret(
    principalId: string,
    { name, expiresInDays }: IssueSecret,
    by: AdminActor,
  ): Promise<ServiceCredentialView & { secret: string }> {
    const secret = issueToken(randomBytes, SECRET_PREFIX);
    const nowMs = this.store.wallMs();
    const expiresAtMs = expiresInDays === undefined ? null : nowMs + expiresInDays * DAY_MS;
    const row = await this.store.change(async (manager) => {
      const active = await this.activeOf(manager, principalId);
      if (active.some(({ kind }) => kind === 'keys'))
        throw new AdminError(409, 'WDR_CREDENTIAL_KIND', 'the service account has keys: end them first');
      if (active.length >= this.secretsMax)
        throw new AdminError(409, 'WDR_CREDENTIAL_LIMIT', `a service account has ${this.secretsMax} secrets at most`);
      const digest = digestOf(secret, this.pepper.keys[this.pepper.current]!);
      const kept = await this.keep(manager, principalId, { kind: 'secret', name, digest, expiresAtMs });
      await this.store.record(manager, 'service-account.secret.issue', by, {
        id: principalId,
        credentialId: kept.id,
        name,
        expiresAtMs,
      });
      return kept;
    });
    return { ...viewOf(row, this.store.wallMs()), secret };
  }

  /**
   * Sets the public keys, in place of those before, whose tokens end.
   * @throws AdminError 404 WDR_SERVICE_ACCOUNT_UNKNOWN; 409 WDR_PRINCIPAL_REMOVED or WDR_CREDENTIAL_KIND
   */
  async setKeys(principalId: string, body: SetKeys, by: AdminActor): Promise<ServiceCredentialView> {
    return this.store.change(async (manager) => {
      const active = await this.activeOf(manager, principalId);
      if (active.some(({ kind }) => kind === 'secret'))
        throw new AdminError(409, 'WDR_CREDENTIAL_KIND', 'the service account has secrets: end them first');
      const before = active.map(({ id }) => id);
      await this.endWithin(manager, principalId, before);
      const jwks = 'jwks' in body ? body.jwks : null;
      const jwksUri = 'jwksUri' in body ? body.jwksUri : null;
      const row = await this.keep(manager, principalId, { kind: 'keys', name: 'keys', jwks, jwksUri });
      const given = { id: principalId, credentialId: row.id, ended: before, jwksUri };
      await this.store.record(manager, 'service-account.keys.set', by, given);
      return viewOf(row, this.store.wallMs());
    });
  }

  /**
   * Ends a credential and all that was issued by it; again it changes nothing.
   * @throws AdminError 404 WDR_SERVICE_ACCOUNT_UNKNOWN or WDR_SERVICE_CREDENTIAL_UNKNOWN
   */
  async endOne(principalId: string, id: string, by: AdminActor): Promise<ServiceCredentialView> {
    return this.store.change(async (manager) => {
      await this.accounts.find(manager, principalId);
      const [row]: CredentialRow[] = await manager.query(
        'SELECT * FROM service_credential WHERE id = $1 AND principal_id = $2',
        [id, principalId],
      );
      if (row === undefined)
        throw new AdminError(
          404,
          'WDR_SERVICE_CREDENTIAL_UNKNOWN',
          'the service account has no credential with this id',
        );
      if (row.status === 'ended') return viewOf(row, this.store.wallMs());
      await this.endWithin(manager, principalId, [id]);
      await this.store.record(manager, 'service-account.credential.end', by, { id: principalId, credentialId: id });
      return viewOf({ ...row, status: 'ended' }, this.store.wallMs());
    });
  }

  /** Ends the credentials that the digests are of, found where nobody should find them, within a change of the caller. */
  async endLeaked(manager: EntityManager, digests: readonly string[], by: AdminActor): Promise<void> {
    const rows: CredentialRow[] = await manager.query(
      `SELECT * FROM service_credential WHERE digest = ANY($1) AND status = 'active' ORDER BY id`,
      [digests],
    );
    for (const { id, principal_id: principalId } of rows) {
      await this.endWithin(manager, principalId, [id]);
      const ended = { id: principalId, credentialId: id, reason: 'leaked' };
      await this.store.record(manager, 'service-account.credential.end', by, ended);
    }
  }

  async end(manager: EntityManager, principalId: string): Promise<readonly string[]> {
    const rows: { id: string }[] = await manager.query(
      `SELECT id FROM service_credential WHERE principal_id = $1 AND status = 'active'`,
      [principalId],
    );
    const ids = rows.map(({ id }) => id);
    await this.endWithin(manager, principalId, ids);
    return ids;
  }

  /** The client that a service account is (RFC 7591 section 2); undefined where it has nothing to prove itself with. */
  async client(principalId: string): Promise<AdapterPayload | undefined> {
    const rows: (CredentialRow & { title: string; digest: string | null })[] = await this.store.source.query(
      `SELECT credential.*, principal.name AS title FROM service_credential credential
       JOIN principal ON principal.id = credential.principal_id
       WHERE credential.principal_id = $1 AND principal.status = 'active' AND credential.status = 'active'
         AND (credential.expires_at_ms IS NULL OR credential.expires_at_ms > $2)
       ORDER BY credential.id DESC`,
      [principalId, this.store.wallMs()],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { kind, title, digest, jwks, jwks_uri: jwksUri } = row;
    const proof =
      kind === 'secret'
        ? // What is presented is compared by its digest; the library only wants to know that there is something.
          { token_endpoint_auth_method: 'client_secret_basic', client_secret: digest ?? '' }
        : { token_endpoint_auth_method: 'private_key_jwt', ...(jwks === null ? { jwks_uri: jwksUri } : { jwks }) };
    return {
      client_id: principalId,
      client_name: title,
      redirect_uris: [],
      response_types: [],
      grant_types: [AGENT_GRANTS.clientCredentials, AGENT_GRANTS.tokenExchange],
      ...proof,
    } as unknown as AdapterPayload;
  }

  /** The credential that the presented secret is of, or, without one, the account's keys. */
  async used(principalId: string, secret: string | undefined): Promise<UsedCredential | undefined> {
    if (secret !== undefined && !isWellFormed(secret, SECRET_PREFIX)) return undefined;
    const { current, keys } = this.pepper;
    const digests =
      secret === undefined ? [] : [keys[current]!, ...Object.values(keys)].map((key) => digestOf(secret, key));
    const rows: CredentialRow[] = await this.store.source.query(
      `SELECT * FROM service_credential WHERE principal_id = $1 AND status = 'active' AND kind = $2
         AND (digest = ANY($3) OR kind = 'keys') AND (expires_at_ms IS NULL OR expires_at_ms > $4) LIMIT 1`,
      [principalId, secret === undefined ? 'keys' : 'secret', digests, this.store.wallMs()],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const expiresAtMs = row.expires_at_ms === null ? null : Number(row.expires_at_ms);
    return { id: row.id, by: row.kind === 'secret' ? 'secret' : 'private_key_jwt', expiresAtMs };
  }

  /** The team that owns the service account. */
  async teamOf(principalId: string): Promise<string> {
    return (await this.accounts.find(this.store.source.manager, principalId)).row.team;
  }

  private async activeOf(manager: EntityManager, principalId: string): Promise<CredentialRow[]> {
    const { principal } = await this.accounts.find(manager, principalId);
    if (principal.status === 'removed')
      throw new AdminError(409, 'WDR_PRINCIPAL_REMOVED', `${principalId} was removed for good`);
    return manager.query(
      `SELECT * FROM service_credential WHERE principal_id = $1 AND status = 'active'
         AND (expires_at_ms IS NULL OR expires_at_ms > $2)`,
      [principalId, this.store.wallMs()],
    );
  }

  private async keep(
    manager: EntityManager,
    principalId: string,
    given: {
      readonly kind: CredentialRow['kind'];
      readonly name: string;
      readonly digest?: string;
      readonly expiresAtMs?: number | null;
      readonly jwks?: object | null;
      readonly jwksUri?: string | null;
    },
  ): Promise<CredentialRow> {
    const { kind, name, digest = null, expiresAtMs = null, jwks = null, jwksUri = null } = given;
    const [row] = (await manager.query(
      `INSERT INTO service_credential
         (id, principal_id, kind, name, status, digest, jwks, jwks_uri, created_at_ms, expires_at_ms)
       VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $9) RETURNING *`,
      [
        this.store.newId('sec'),
        principalId,
        kind,
        name,
        digest,
        jwks === null ? null : JSON.stringify(jwks),
        jwksUri,
        this.store.wallMs(),
        expiresAtMs,
      ],
    )) as [CredentialRow];
    return row;
  }

  private async endWithin(manager: EntityManager, principalId: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await manager.query(`UPDATE service_credential SET status = 'ended' WHERE id = ANY($1)`, [[...ids]]);
    await this.grants.endNamed(manager, principalId, ids);
  }
}
