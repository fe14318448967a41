import { actorsOf, readSignedToken } from '@warder/tokens';
import type { GrantsStore } from '../authorization/grants.store.js';
import type { SigningKeys } from '../authorization/signing-keys.js';
import type { IdentityStore } from '../identity.store.js';
import { Principal } from '../principal.entity.js';
import { ensureStanding, NotTaken, type Presented } from './presented.js';

/** Access tokens of our own that are presented to the token endpoint: held to what every node holds them to. */
export class OwnTokens {
  constructor(
    private readonly issuer: string,
    private readonly store: IdentityStore,
    private readonly grants: GrantsStore,
    private readonly keys: SigningKeys,
  ) {}

  /** @throws NotTaken with the reason */
  async examine(text: string): Promise<Presented> {
    const nowMs = this.store.wallMs();
    const claims = readSignedToken(text, this.issuer, nowMs, (kid) => this.keys.find(kid)?.publicKey);
    if (typeof claims === 'string') throw new NotTaken(claims);
    const issuedAtMs = Math.round(claims.iat * 1_000);
    if (claims.exp * 1_000 <= nowMs) throw new NotTaken('expired');
    const endsWith = [claims.grant_id, ...(claims.ends_with ?? [])];
    if (await this.grants.hasEnded(endsWith)) throw new NotTaken('its grant has ended');
    const principal = await this.standing(claims.sub, issuedAtMs);
    const actors: Principal[] = [];
    for (const actor of claims.act === undefined ? [] : actorsOf(claims.act)) {
      if (actor.kind === 'service') actors.push(await this.standing(actor.id, issuedAtMs));
    }
    return { principal, actors, expiresAtMs: claims.exp * 1_000, endsWith, act: claims.act, audience: claims.aud };
  }

  private async standing(id: string, issuedAtMs: number): Promise<Principal> {
    const found = await this.store.source.manager.findOneBy(Principal, { id });
    return ensureStanding(found ?? undefined, issuedAtMs);
  }
}
