import { OAUTH_SCOPE } from '@warder/contracts';
import type { ActClaim, GivenFor } from '@warder/tokens';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type { VirtualServers } from '../authorization/virtual-servers.js';
import type { Principal } from '../principal.entity.js';
import type { AgentIssues } from './agent-issues.store.js';
import type { MayActRule } from './agents-config.js';

export type GrantContext = TokenEndpointGrantContext<Readonly<Record<string, string | undefined>>>;

/** What a token for an agent says. */
export interface AgentToken {
  /** As looked at when the request was judged; so are those who act. */
  readonly principal: Principal;
  readonly actors?: readonly Principal[];
  /** URL of the virtual server that it is for (RFC 8707). */
  readonly resource: string;
  readonly givenFor: GivenFor;
  /** How the client proved itself. */
  readonly by: string;
  /** The agent's name in the record, where it is not the client's. */
  readonly name?: string;
  /** The credential that is its grant; absent, it is the one that the agent has for the principal. */
  readonly grantId?: string;
  /** What it expires with, at the latest. */
  readonly expiresAtMs: number;
  readonly act?: ActClaim;
  readonly endsWith?: readonly string[];
  /** The rule by which it is given to the principal as they are now. @throws NotTaken where there is none */
  readonly rule?: (principal: Principal) => MayActRule;
}

export interface AgentTokensParts {
  readonly origin: string;
  readonly issues: AgentIssues;
  readonly servers: VirtualServers;
}

/** Makes the tokens of agents, each with its record. */
export class AgentTokens {
  private readonly claims = new WeakMap<object, Readonly<Record<string, unknown>>>();
  private readonly issuedAt = new WeakMap<object, number>();

  constructor(private readonly parts: AgentTokensParts) {}

  /** The claims of a token beyond those that every access token has. */
  claimsOf(token: object): Readonly<Record<string, unknown>> {
    return this.claims.get(token) ?? {};
  }

  /** When the token was decided upon, wall milliseconds; undefined for one that is no agent's. */
  issuedAtMs(token: object): number | undefined {
    return this.issuedAt.get(token);
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
   * Answers with a token, once it is on record.
   * @throws InvalidGrant where nothing is left of its life; NotTaken where what it rests on has ended meanwhile
   */
  async answer(ctx: GrantContext, given: AgentToken): Promise<void> {
    const { provider, client } = ctx.oidc;
    // Whom no rule names does not keep the changes of others waiting.
    given.rule?.(given.principal);
    const { grantId, issuedAtMs, expiresAtMs } = await this.parts.issues.issue(ctx, given);
    const expiresIn = Math.floor((expiresAtMs - issuedAtMs) / 1_000);
    const token = new provider.AccessToken({
      accountId: given.principal.id,
      client,
      grantId,
      gty: ctx.oidc.params.grant_type,
      scope: OAUTH_SCOPE,
      expiresIn,
    });
    token.resourceServer = resourceServer(provider, given.resource, expiresIn);
    this.issuedAt.set(token, issuedAtMs);
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
