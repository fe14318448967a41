import { createPublicKey, generateKeyPair, hash } from 'node:crypto';
import { promisify } from 'node:util';
import { type SigningKeyState, signingKeyStateTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import type { IdentityStore } from '../identity.store.js';
import type { Sealing } from './sealing.js';
import { type HeldKey, heldKeyOf, type SigningKeys } from './signing-keys.js';

interface Row {
  readonly id: string;
  readonly version: number;
  readonly status: SigningKeyState['status'];
  readonly jwk: SigningKeyState['jwk'];
  readonly sealed: string;
  readonly created_at_ms: string;
  readonly signs_from_ms: string | null;
}

/** A key, as administrators see it. */
export interface SigningKeyView {
  readonly id: string;
  /** `next` is told of and signs nothing yet; `verifies` signs no more, and what it signed still lives. */
  readonly state: 'next' | 'signs' | 'verifies' | 'retired';
  readonly createdAtMs: number;
  readonly signsFromMs: number | null;
}

/** When keys turn. */
export interface SigningKeyTimes {
  /** Milliseconds after which a key that signs is replaced; 0: only when asked. */
  readonly everyMs: number;
  /** Milliseconds for which a key is told of before it signs: programs keep the set of keys for a while. */
  readonly aheadMs: number;
  /** Milliseconds that what is signed lives at most, and a difference of clocks. */
  readonly outlivedMs: number;
}

/** Nobody asked for it: it was time. */
const BY_ITSELF: AdminActor = { principal: null, token: null, address: '' };
const COLUMNS = 'id, version, status, jwk, sealed, created_at_ms, signs_from_ms';

/**
 * The keys that sign access tokens: kept sealed, their public halves told to every node. A key is told of, then signs,
 * then verifies what it signed until the last of it has expired, and is gone then, its private half with it.
 */
export class SigningKeysStore {
  constructor(
    private readonly store: IdentityStore,
    private readonly outbox: Outbox,
    private readonly sealing: Sealing,
    private readonly times: SigningKeyTimes,
    readonly held: SigningKeys,
  ) {
    store.alsoRepublish((manager) => this.republish(manager));
  }

  /** Takes the keys into memory. Makes the first one where there is none: nobody has to be told ahead of that. */
  async load(): Promise<void> {
    const rows = await this.store.change(async (manager) => {
      const found = await this.active(manager);
      return found.length > 0 ? found : [await this.make(manager, this.store.wallMs())];
    });
    this.hold(rows);
  }

  async list(): Promise<SigningKeyView[]> {
    const rows: Row[] = await this.store.source.query(
      `SELECT ${COLUMNS} FROM signing_key ORDER BY created_at_ms DESC, id LIMIT 100`,
    );
    const signer = rows.find((row) => row.status === 'active' && row.signs_from_ms !== null);
    return rows.map((row) => viewOf(row, signer));
  }

  /**
   * Makes the next key and tells of it. It signs once it was told of long enough and every node has it.
   * @throws AdminError 409 WDR_SIGNING_KEY_TURNING while there is a next one already
   */
  async rotate(by: AdminActor): Promise<SigningKeyView> {
    const rows = await this.store.change(async (manager) => {
      const before = await this.active(manager);
      if (before.some((row) => row.signs_from_ms === null)) {
        throw new AdminError(409, 'WDR_SIGNING_KEY_TURNING', 'the next key is told of already and signs soon');
      }
      const made = await this.make(manager, null);
      await this.store.record(manager, 'signing-key.rotate', by, { keyId: made.id });
      return [made, ...before];
    });
    this.hold(rows);
    return viewOf(rows[0]!, undefined);
  }

  /**
   * Does what it is time for: makes the next key, has it sign, lets the outlived ones go.
   * @param isEverywhere - whether every node has read what was told
   */
  async turn(isEverywhere: () => Promise<boolean>): Promise<void> {
    const nowMs = this.store.wallMs();
    const rows = await this.store.source.transaction((manager) => this.active(manager));
    this.hold(rows);
    const next = rows.find((row) => row.signs_from_ms === null);
    const signer = rows.find((row) => row.signs_from_ms !== null);
    const { everyMs, aheadMs } = this.times;
    if (next !== undefined) {
      if (Number(next.created_at_ms) + aheadMs <= nowMs && (await isEverywhere())) await this.sign(next.id);
    } else if (everyMs > 0 && signer !== undefined && Number(signer.signs_from_ms) + everyMs <= nowMs) {
      await this.rotate(BY_ITSELF);
    }
    await this.letGo();
  }

  private async sign(id: string): Promise<void> {
    const rows = await this.store.change(async (manager) => {
      await manager.query('UPDATE signing_key SET signs_from_ms = $2 WHERE id = $1 AND signs_from_ms IS NULL', [
        id,
        this.store.wallMs(),
      ]);
      await this.store.record(manager, 'signing-key.sign', BY_ITSELF, { keyId: id });
      return this.active(manager);
    });
    this.hold(rows);
  }

  /** Retires the keys of which nothing lives: their successor has signed for longer than anything lasts. */
  private async letGo(): Promise<void> {
    const outlivedBy = (rows: readonly Row[]): Row[] => {
      const signed = rows.filter((row) => row.signs_from_ms !== null);
      const untilMs = this.store.wallMs() - this.times.outlivedMs;
      return signed.filter((_, at) => at > 0 && Number(signed[at - 1]!.signs_from_ms) <= untilMs);
    };
    if (outlivedBy(await this.active(this.store.source.manager)).length === 0) return;
    const rows = await this.store.change(async (manager) => {
      for (const row of outlivedBy(await this.active(manager))) {
        const version = row.version + 1;
        await manager.query(`UPDATE signing_key SET status = 'retired', version = $2, sealed = '' WHERE id = $1`, [
          row.id,
          version,
        ]);
        const state = stateOf({ ...row, version, status: 'retired' });
        await this.outbox.enqueue(manager, signingKeyStateTopic, row.id, state);
        await this.store.record(manager, 'signing-key.retire', BY_ITSELF, { keyId: row.id });
      }
      return this.active(manager);
    });
    this.hold(rows);
  }

  private hold(rows: readonly Row[]): void {
    const held: HeldKey[] = rows.map(({ id, sealed, signs_from_ms: from }) =>
      heldKeyOf(id, JSON.parse(this.sealing.open(sealed, placeOf(id))) as object, from !== null),
    );
    this.held.replace(held);
  }

  private async republish(manager: EntityManager): Promise<void> {
    const rows: Row[] = await manager.query(`SELECT ${COLUMNS} FROM signing_key ORDER BY id`);
    const entries = rows.map((row) => ({ key: row.id, message: stateOf(row) }));
    if (entries.length > 0) await this.outbox.enqueueAll(manager, signingKeyStateTopic, entries);
  }

  /** Those that verify: the next one first, then the one that signs. */
  private active(manager: EntityManager): Promise<Row[]> {
    return manager.query(
      `SELECT ${COLUMNS} FROM signing_key WHERE status = 'active' ORDER BY signs_from_ms DESC NULLS FIRST, id`,
    );
  }

  private async make(manager: EntityManager, signsFromMs: number | null): Promise<Row> {
    const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
    const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as SigningKeyState['jwk'];
    // RFC 7638: the members that say which key it is, in their order.
    const { crv, kty, x, y } = jwk;
    const id = hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url');
    const sealed = this.sealing.seal(JSON.stringify(privateKey.export({ format: 'jwk' })), placeOf(id));
    const nowMs = this.store.wallMs();
    await manager.query(`INSERT INTO signing_key (${COLUMNS}) VALUES ($1, 1, 'active', $2, $3, $4, $5)`, [
      id,
      JSON.stringify(jwk),
      sealed,
      nowMs,
      signsFromMs,
    ]);
    const from = signsFromMs === null ? null : String(signsFromMs);
    const row: Row = {
      id,
      version: 1,
      status: 'active',
      jwk,
      sealed,
      created_at_ms: String(nowMs),
      signs_from_ms: from,
    };
    await this.outbox.enqueue(manager, signingKeyStateTopic, id, stateOf(row));
    return row;
  }
}

function viewOf(row: Row, signer: Row | undefined): SigningKeyView {
  const signsFromMs = row.signs_from_ms === null ? null : Number(row.signs_from_ms);
  const verifying = row.id === signer?.id ? 'signs' : 'verifies';
  const state = row.status === 'retired' ? 'retired' : signsFromMs === null ? 'next' : verifying;
  return { id: row.id, state, createdAtMs: Number(row.created_at_ms), signsFromMs };
}

function stateOf({ id, version, status, jwk }: Pick<Row, 'id' | 'version' | 'status' | 'jwk'>): SigningKeyState {
  const { kty, crv, x, y } = jwk;
  return { version, status, id, algorithm: 'ES256', jwk: { kty, crv, x, y } };
}

function placeOf(id: string): string {
  return `signing_key.sealed/${id}`;
}
