import { hash } from 'node:crypto';
import { OAUTH_SCOPE } from '@warder/contracts';
import type { Outbox } from '@warder/postgres';
import { type ActClaim, actorsOf, type GivenFor } from '@warder/tokens';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type { VirtualServers } from '../authorization/virtual-servers.js';
import type { IdentityStore } from '../identity.store.js';
import { type Principal, principalStateOf } from '../principal.entity.js';

export type GrantContext = TokenEndpointGrantContext<Readonly<Record<string, string | undefined>>>;

/** What a token for an agent says. */
export interface AgentToken {
  readonly principal: Principal;
  /** URL of the virtual server that it is for (RFC 8707). */
  readonly resource: string;
  readonly givenFor: GivenFor;
  /** How the client proved itself. */
  readonly by: string;
  /** The agent's name in the record, where it is not the client's. */
  readonly name?: string;
  readonly grantId: string;
  readonly expiresAtMs: number;
  readonly act?: ActClaim;
  readonly endsWith?: readonly string[];
  /** More for the record: the rule by which it was given. */
  readonly rule?: string;
}

export interface AgentTokensParts {
  readonly origin: string;
  readonly store: IdentityStore;
  readonly outbox: Outbox;
  readonly servers: VirtualServers;
  /** Milliseconds that any access token lives at most. */
  readonly accessMs: number;
}

/** Makes the tokens of agents, each with its record. */
export class AgentTokens {
  private readonly claims = new WeakMap<object, Readonly<Record<string, unknown>>>();

  constructor(private readonly parts: AgentTokensParts) {}

  /** The claims of a token beyond those that every access token has. */
  claimsOf(token: object): Readonly<Record<string, unknown>> {
    return this.claims.get(token) ?? {};
  }

  /** When a token that is made now expires at the latest. */
  latestExpiryMs(): number {
    return this.parts.store.wallMs() + this.parts.accessMs;
  }

  /**
   * The virtual server that is asked for, or the only one.
   * @throws InvalidTarget, InvalidScope
   */
  resourceOf({ oidc: { params } }: GrantContext, named?: string): string {
    const { origin, servers } = this.parts;
    const { resource = named, scope } = params;
    if (typeof resource === 'object') throw new errors.InvalidTarget('a token is for one virtual server');
    if (scope !== undefined && scope !== '' && !scope.split(' ').includes(OAUTH_SCOPE))
      throw new errors.InvalidScope(`the one scope is ${OAUTH_SCOPE}`, scope);
    if (resource === undefined) {
      const [name, ...others] = servers.names();
      if (name === undefined || others.length > 0)
        throw new errors.InvalidTarget('name the virtual server as resource');
      return `${origin}/mcp/${name}`;
    }
    if (named !== undefined && resource !== named) throw new errors.InvalidTarget();
    const name = resource.startsWith(`${origin}/mcp/`) ? resource.slice(`${origin}/mcp/`.length) : '';
    if (servers.describe(name) === undefined) throw new errors.InvalidTarget();
    return resource;
  }

  /**
   * The grant that the agent has for the principal: the same over every token, so that whoever ends it ends them all.
   * @param act - the chain, where there is one
   */
  async grantFor(
    { oidc: { provider, client } }: GrantContext,
    principalId: string,
    resource: string,
    act?: ActClaim,
  ): Promise<string> {
    const { source } = this.parts.store;
    const key = hash('sha256', JSON.stringify([principalId, client.clientId, resource, act ?? null]), 'base64url');
    const [held]: { grant_id: string }[] = await source.query(
      `SELECT agent_grant.grant_id FROM agent_grant JOIN oauth_item ON model = 'Grant' AND id = agent_grant.grant_id
       WHERE key = $1 AND (expires_at IS NULL OR expires_at > to_timestamp($2::numeric / 1000))`,
      [key, this.latestExpiryMs()],
    );
    if (held !== undefined) return held.grant_id;
    const grant = new provider.Grant({ accountId: principalId, clientId: client.clientId });
    grant.addResourceScope(resource, OAUTH_SCOPE);
    const id = await grant.save();
    await source.query(
      'INSERT INTO agent_grant (key, grant_id) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET grant_id = excluded.grant_id',
      [key, id],
    );
    return id;
  }

  /** Answers with a token, once it is on record. @throws InvalidGrant where nothing is left of its life */
  async answer(ctx: GrantContext, given: AgentToken): Promise<void> {
    const { provider, client } = ctx.oidc;
    const expiresIn = Math.floor((given.expiresAtMs - this.parts.store.wallMs()) / 1_000);
    if (expiresIn < 1) throw new errors.InvalidGrant('nothing is left of its life');
    await this.record(ctx, given);
    const token = new provider.AccessToken({
      accountId: given.principal.id,
      client,
      grantId: given.grantId,
      gty: ctx.oidc.params.grant_type,
      scope: OAUTH_SCOPE,
      expiresIn,
    });
    token.resourceServer = resourceServer(provider, given.resource, expiresIn);
    this.claims.set(token, {
      client_by: given.by,
      given_for: given.givenFor,
      ...(given.name === undefined ? {} : { client_name: given.name }),
      ...(given.act === undefined ? {} : { act: given.act }),
      ...(given.endsWith === undefined ? {} : { ends_with: given.endsWith }),
    });
    ctx.oidc.entity('AccessToken', token);
    ctx.body = {
      access_token: await token.save(),
      token_type: 'Bearer',
      expires_in: expiresIn,
      scope: OAUTH_SCOPE,
      // RFC 8693 section 2.2.1
      ...(given.givenFor === 'token-exchange'
        ? { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }
        : {}),
    };
  }

  private async record(ctx: GrantContext, given: AgentToken): Promise<void> {
    const { store, outbox, origin } = this.parts;
    const { principal, act, resource, grantId, expiresAtMs, rule, by } = given;
    const actors = act === undefined ? [] : actorsOf(act);
    const client = { name: ctx.oidc.client.clientId, by };
    await store.change((manager) =>
      outbox.recordAdminAction(manager, {
        kind: 'authentication',
        action: `${given.givenFor}.issue`,
        by: { principal: principalStateOf(principal), token: null, client, actors, address: ctx.ip },
        arguments: {
          virtualServer: resource.slice(`${origin}/mcp/`.length),
          grantId,
          expiresAtMs,
          ...(rule === undefined ? {} : { rule }),
        },
      }),
    );
  }
}

/** The types of the library leave out the class that its own grants use. */
function resourceServer(provider: object, resource: string, accessTokenTTL: number): never {
  const { ResourceServer } = provider as { ResourceServer: new (identifier: string, data: object) => never };
  return new ResourceServer(resource, {
    scope: OAUTH_SCOPE,
    audience: resource,
    accessTokenTTL,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  });
}
