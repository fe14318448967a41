import { hash } from 'node:crypto';
import { OAUTH_SCOPE } from '@warder/contracts';
import type { Outbox } from '@warder/postgres';
import { type ActClaim, actorsOf } from '@warder/tokens';
import { errors } from 'oidc-provider';
import type { EntityManager } from 'typeorm';
import type { GrantsStore, NewGrant } from '../authorization/grants.store.js';
import type { IdentityStore } from '../identity.store.js';
import { Principal, principalStateOf } from '../principal.entity.js';
import type { AgentToken, GrantContext } from './agent-tokens.js';
import { ensureStanding, NotTaken } from './presented.js';

/** What was decided and put on record. */
export interface Issued {
  readonly grantId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

export interface AgentIssuesParts {
  readonly origin: string;
  readonly store: IdentityStore;
  readonly grants: GrantsStore;
  readonly outbox: Outbox;
  /** Milliseconds that any access token lives at most. */
  readonly accessMs: number;
}

/** What is decided on tokens of agents, and kept of it. */
export class AgentIssues {
  constructor(private readonly parts: AgentIssuesParts) {}

  /**
   * Looks again at all that the token rests on, under the lock that every end takes, and puts it on record there: an end is
   * either seen here, or comes after the time that the token says it was made at.
   * @throws InvalidGrant where nothing is left of its life; NotTaken where what it rests on has ended meanwhile
   */
  issue(ctx: GrantContext, given: AgentToken): Promise<Issued> {
    const { store, grants, accessMs } = this.parts;
    const { resource, act, endsWith = [] } = given;
    return store.change(async (manager) => {
      const principal = await ensureStandingStill(manager, given.principal);
      for (const actor of given.actors ?? []) await ensureStandingStill(manager, actor);
      const ends = given.grantId === undefined ? endsWith : [...endsWith, given.grantId];
      if (await grants.hasEnded(ends, manager)) throw new NotTaken('what it rests on has ended meanwhile');
      const rule = given.rule?.(principal);
      const issuedAtMs = store.wallMs();
      const latestMs = issuedAtMs + Math.min(accessMs, (rule?.minutesMax ?? Infinity) * 60_000);
      const expiresAtMs = Math.min(latestMs, given.expiresAtMs);
      if (expiresAtMs - issuedAtMs < 1_000) throw new errors.InvalidGrant('nothing is left of its life');
      const grantId =
        given.grantId ?? (await this.grantFor(manager, ctx, { principalId: principal.id, resource, act }));
      const issued = { grantId, issuedAtMs, expiresAtMs };
      await this.record(manager, ctx, { ...given, principal }, { ...issued, rule: rule?.name });
      return issued;
    });
  }

  /** The grant that the agent has for the principal: the same over every token, so that whoever ends it ends them all. */
  private async grantFor(
    manager: EntityManager,
    { oidc: { provider, client } }: GrantContext,
    { principalId, resource, act }: { principalId: string; resource: string; act: ActClaim | undefined },
  ): Promise<string> {
    const { clientId } = client;
    const key = hash('sha256', JSON.stringify([principalId, clientId, resource, act ?? null]), 'base64url');
    const [held]: { grant_id: string }[] = await manager.query(
      `SELECT agent_grant.grant_id FROM agent_grant JOIN oauth_item ON model = 'Grant' AND id = agent_grant.grant_id
       WHERE key = $1 AND (expires_at IS NULL OR expires_at > to_timestamp($2::numeric / 1000))`,
      [key, this.parts.store.wallMs() + this.parts.accessMs],
    );
    if (held !== undefined) return held.grant_id;
    const grant = new provider.Grant({ accountId: principalId, clientId });
    grant.addResourceScope(resource, OAUTH_SCOPE);
    const id = await this.parts.grants.keep(manager, grant as unknown as NewGrant);
    await manager.query(
      'INSERT INTO agent_grant (key, grant_id) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET grant_id = excluded.grant_id',
      [key, id],
    );
    return id;
  }

  private async record(
    manager: EntityManager,
    ctx: GrantContext,
    { principal, act, resource, givenFor, by }: AgentToken,
    { grantId, expiresAtMs, rule }: Issued & { readonly rule: string | undefined },
  ): Promise<void> {
    const actors = act === undefined ? [] : actorsOf(act);
    const client = { name: ctx.oidc.client.clientId, by };
    await this.parts.outbox.recordAdminAction(manager, {
      kind: 'authentication',
      action: `${givenFor}.issue`,
      by: { principal: principalStateOf(principal), token: null, client, actors, address: ctx.ip },
      arguments: {
        virtualServer: resource.slice(`${this.parts.origin}/mcp/`.length),
        grantId,
        expiresAtMs,
        ...(rule === undefined ? {} : { rule }),
      },
    });
  }
}

/**
 * The principal as it is now, in the change in which a token of theirs is issued: whoever was signed out between the look
 * at what was presented and this moment gets nothing by it.
 * @param seen - as it was looked at
 * @throws NotTaken
 */
async function ensureStandingStill(manager: EntityManager, seen: Principal): Promise<Principal> {
  const now = (await manager.findOneBy(Principal, { id: seen.id })) ?? undefined;
  const standing = ensureStanding(now, Infinity);
  if (Number(standing.signedOutAtMs ?? 0) !== Number(seen.signedOutAtMs ?? 0))
    throw new NotTaken(`${seen.id} was signed out meanwhile`);
  return standing;
}
