import { setTimeout } from 'node:timers/promises';
import { credentialHeaders } from '@warder/provider-catalog';
import { isKept, type UpstreamCredential } from '@warder/contracts';
import { credentialOf, formOf } from '../kept/credential-form.js';
import { Connection } from './connection.entity.js';
import type { ConnectionStates } from './connection-states.store.js';
import { Provider } from './provider.entity.js';
import type { ProviderSetups } from './provider-setups.js';
import type { Refresher } from './refresher.js';
import type { SealedTokens } from './sealed-tokens.js';

/** What a connection gives a call. */
export type ConnectionCredential =
  | {
      readonly kind: 'credential';
      readonly credential: UpstreamCredential;
      /** Of the connection's state. */
      readonly version: number;
      readonly generation: number;
      /** Wall milliseconds; null where nobody knows. */
      readonly expiresAtMs: number | null;
    }
  /** Its owner has to connect it again, or it was ended. */
  | { readonly kind: 'missing'; readonly status: Connection['status'] | 'unknown' };

export interface ConnectionTokensParts {
  readonly states: ConnectionStates;
  readonly tokens: SealedTokens;
  readonly setups: ProviderSetups;
  readonly refresher: Refresher;
}

/** A token that is no older was good a moment ago. */
const YOUNG_MS = 60_000;
/** How long the end of a refresh is waited for: the call that asks has its node's two seconds. */
const UNDER_WAY_MS_MAX = 1_500;
const LOOK_EVERY_MS = 50;

/** Access tokens of connections, for whoever may have them: refreshed first where the one there is has ended. */
export class ConnectionTokens {
  constructor(private readonly parts: ConnectionTokensParts) {}

  /**
   * The credential of now. It may have expired, while its provider is away.
   * @throws SecretError or AdminError while the secret store cannot open it
   */
  async credentialOf(id: string): Promise<ConnectionCredential> {
    const { states, setups } = this.parts;
    const held = await this.tokenOf(id);
    if (held === undefined) return { kind: 'missing', status: (await this.row(id))?.status ?? 'unknown' };
    const { row, token } = held;
    const provider = await states.source.manager.findOneByOrFail(Provider, { id: row.provider });
    const { version, generation, expiresAtMs } = row;
    const form = formOf(provider);
    return {
      kind: 'credential',
      credential:
        form === null
          ? { kind: 'headers', values: credentialHeaders(await setups.of(provider), token) }
          : credentialOf(form, token),
      version,
      generation,
      expiresAtMs: expiresAtMs === null ? null : Number(expiresAtMs),
    };
  }

  /** The access token of now with its row; undefined where there is none. @throws as `credentialOf` */
  async tokenOf(id: string): Promise<{ readonly row: Connection; readonly token: string } | undefined> {
    let row = await this.row(id);
    if (row?.status === 'active' && isWanted(row, this.parts.states.wallMs())) {
      await this.parts.refresher.refresh(id, { generation: row.generation });
      row = await this.row(id);
    }
    if (row?.status !== 'active' || row.accessToken === null) return undefined;
    return { row, token: await this.parts.tokens.open(id, 'access_token', row.generation, row.accessToken) };
  }

  /**
   * A call was refused with the token of that generation: a newer one is had, unless there is one already. One that is new
   * is refused for another reason than its age, and a provider is not asked for each call of such an upstream. A refresh
   * that is under way, here or in another process, has ended the old token at some providers, however new that is.
   */
  async refused(id: string, generation: number): Promise<void> {
    let row = await this.row(id);
    // What somebody keeps here is good or is not: nothing newer can be had for it.
    if (row === null || row.generation !== generation || isKept(row.kind)) return;
    for (let waitedMs = 0; isUnderWay(row) && waitedMs < UNDER_WAY_MS_MAX; waitedMs += LOOK_EVERY_MS) {
      await setTimeout(LOOK_EVERY_MS);
      row = await this.row(id);
      if (row === null || row.generation !== generation) return;
    }
    if (this.parts.states.wallMs() - Number(row.changedAtMs) < YOUNG_MS) return;
    await this.parts.refresher.refresh(id, { generation });
  }

  private row(id: string): Promise<Connection | null> {
    return this.parts.states.source.manager.findOneBy(Connection, { id });
  }
}

/** Whether a call needs another token first: nothing but calls has tokens exchanged, so theirs are had a little ahead. */
function isWanted({ kind, accessToken, expiresAtMs, changedAtMs }: Connection, nowMs: number): boolean {
  if (kind !== 'token_exchange') return expiresAtMs !== null && Number(expiresAtMs) <= nowMs;
  if (accessToken === null) return true;
  return expiresAtMs !== null && nowMs >= aheadOf(Number(changedAtMs), Number(expiresAtMs));
}

/** When a token that was had at the one moment and ends at the other has a fifth of its life left. */
function aheadOf(hadAtMs: number, endsAtMs: number): number {
  return endsAtMs - (endsAtMs - hadAtMs) * 0.2;
}

/** Whether a token request was sent and nobody has said how it ended. */
function isUnderWay({ intent }: Connection): boolean {
  return intent !== null && intent.isGivenUp !== true;
}
