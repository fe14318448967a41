import { createPublicKey, generateKeyPair, hash } from 'node:crypto';
import { promisify } from 'node:util';
import { type SigningKeyState, signingKeyStateTopic } from '@warder/contracts';
import type { Outbox } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import type { IdentityStore } from '../identity.store.js';
import type { Sealing } from './sealing.js';

interface Row {
  readonly id: string;
  readonly version: number;
  readonly status: SigningKeyState['status'];
  readonly jwk: SigningKeyState['jwk'];
  readonly sealed: string;
}

/** A private key as JWK (RFC 7517), with its use. */
export interface PrivateJwk {
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
  readonly [member: string]: unknown;
}

/** The keys that sign access tokens: made once, kept sealed, their public halves told to every node. */
export class SigningKeysStore {
  constructor(
    private readonly store: IdentityStore,
    private readonly outbox: Outbox,
    private readonly sealing: Sealing,
  ) {
    store.alsoRepublish((manager) => this.republish(manager));
  }

  /** The private keys, the newest first: it signs. Makes the first one where there is none. */
  async load(): Promise<PrivateJwk[]> {
    return this.store.change(async (manager) => {
      const rows = await this.active(manager);
      if (rows.length === 0) rows.push(await this.make(manager));
      return rows.map(({ id, sealed }) => ({
        ...(JSON.parse(this.sealing.open(sealed, placeOf(id))) as object),
        kid: id,
        alg: 'ES256',
        use: 'sig',
      }));
    });
  }

  private async republish(manager: EntityManager): Promise<void> {
    const rows: Row[] = await manager.query('SELECT id, version, status, jwk, sealed FROM signing_key ORDER BY id');
    const entries = rows.map((row) => ({ key: row.id, message: stateOf(row) }));
    if (entries.length > 0) await this.outbox.enqueueAll(manager, signingKeyStateTopic, entries);
  }

  private active(manager: EntityManager): Promise<Row[]> {
    return manager.query(
      `SELECT id, version, status, jwk, sealed FROM signing_key WHERE status = 'active' ORDER BY created_at_ms DESC, id`,
    );
  }

  private async make(manager: EntityManager): Promise<Row> {
    const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
    const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as SigningKeyState['jwk'];
    // RFC 7638: the members that say which key it is, in their order.
    const { crv, kty, x, y } = jwk;
    const id = hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url');
    const sealed = this.sealing.seal(JSON.stringify(privateKey.export({ format: 'jwk' })), placeOf(id));
    const row: Row = { id, version: 1, status: 'active', jwk, sealed };
    await manager.query(
      `INSERT INTO signing_key (id, version, status, jwk, sealed, created_at_ms) VALUES ($1, 1, 'active', $2, $3, $4)`,
      [id, JSON.stringify(jwk), sealed, this.store.wallMs()],
    );
    await this.outbox.enqueue(manager, signingKeyStateTopic, id, stateOf(row));
    return row;
  }
}

function stateOf({ id, version, status, jwk }: Row): SigningKeyState {
  const { kty, crv, x, y } = jwk;
  return { version, status, id, algorithm: 'ES256', jwk: { kty, crv, x, y } };
}

function placeOf(id: string): string {
  return `signing_key.sealed/${id}`;
}
