import { OAUTH_SCOPE } from '@warder/contracts';
import { type ActClaim, actorsOf } from '@warder/tokens';
import { errors, type Provider } from 'oidc-provider';
import { toldToClient } from '../authorization/told-to-client.js';
import type { IdentityStore } from '../identity.store.js';
import { Principal } from '../principal.entity.js';
import { AGENT_GRANTS } from './agent-grants.js';
import type { AgentTokens, GrantContext } from './agent-tokens.js';
import type { MayActRule } from './agents-config.js';
import type { CompanyTokens } from './company-tokens.js';
import { type ActingParty, mayAct } from './may-act.js';
import type { OwnTokens } from './own-tokens.js';
import { NotTaken, type Presented } from './presented.js';
import type { ServiceCredentialsStore, UsedCredential } from './service-credentials.store.js';
import type { WorkloadTokens } from './workload-tokens.js';

const TYPE = 'urn:ietf:params:oauth:token-type:';
/** Ends that a token may have: those of all that it was exchanged for. */
const ENDS_WITH_MAX = 8;
const DETAIL_CHARS_MAX = 300;

export interface TokenEndpointParts {
  readonly store: IdentityStore;
  readonly credentials: ServiceCredentialsStore;
  readonly tokens: AgentTokens;
  readonly own: OwnTokens;
  readonly company: CompanyTokens;
  readonly workloads: WorkloadTokens;
  readonly rules: readonly MayActRule[];
  /** Clients known in advance that may present ID-JAGs. */
  readonly idJagClients: ReadonlySet<string>;
  /** A request that was refused, for the record. */
  onFailure(told: { code: 'WDR_GRANT_REFUSED'; detail: string; address: string }): void;
}

type CompareSecret = (this: { readonly clientId: string }, actual: string) => unknown;

interface Acting {
  readonly party: ActingParty;
  readonly act: Pick<ActClaim, 'sub' | 'iss' | 'kind'>;
  readonly by: string;
  readonly name?: string;
  /** The service account, where it is one. */
  readonly principals: readonly Principal[];
  readonly expiresAtMs: number;
  readonly endsWith: readonly string[];
}

/** The grants by which programs come for tokens, with no browser. Each takes its clients only, however they registered. */
export class AgentTokenEndpoint {
  constructor(private readonly parts: TokenEndpointParts) {}

  /** Has the authorization server answer these grants. */
  registerOn(provider: Provider): void {
    const { credentials } = this.parts;
    const prototype = provider.Client.prototype as { compareClientSecret: CompareSecret };
    const compare = prototype.compareClientSecret;
    // Secrets of service accounts are here as digests only.
    prototype.compareClientSecret = async function compareClientSecret(actual) {
      if (!isServiceAccount(this.clientId)) return compare.call(this, actual);
      return (await credentials.used(this.clientId, actual)) !== undefined;
    };
    const named = ['scope', 'resource'];
    const { clientCredentials, tokenExchange, jwtBearer } = AGENT_GRANTS;
    // A handler is given the context and nothing to call after it.
    const on = (type: string, answer: (ctx: GrantContext) => Promise<void>, params: string[]): void =>
      provider.registerGrantType(type, (ctx) => toldToClient(() => answer(ctx as GrantContext)), params);
    on(clientCredentials, (ctx) => this.clientCredentials(ctx), named);
    on(tokenExchange, (ctx) => this.tokenExchange(ctx), [
      ...named,
      'subject_token',
      'subject_token_type',
      'actor_token',
      'actor_token_type',
      'requested_token_type',
    ]);
    on(jwtBearer, (ctx) => this.idJag(ctx), [...named, 'assertion']);
    const kinds = new Map<unknown, string>(Object.entries(AGENT_GRANTS).map(([kind, name]) => [name, kind]));
    provider.on('grant.error', (ctx, error) => {
      const params = (ctx.oidc as { params?: Record<string, unknown> } | undefined)?.params;
      const kind = kinds.get(params?.['grant_type']);
      if (kind === undefined) return;
      const {
        error: code,
        error_detail: detail,
        error_description: description,
      } = error as unknown as Record<string, string>;
      const client = ctx.oidc.client?.clientId ?? 'no client';
      const told = `${kind}: ${client}: ${code}: ${detail ?? description ?? ''}`.slice(0, DETAIL_CHARS_MAX);
      this.parts.onFailure({ code: 'WDR_GRANT_REFUSED', detail: told, address: ctx.ip });
    });
  }

  /** RFC 6749 section 4.4: a service account for itself. */
  private async clientCredentials(ctx: GrantContext): Promise<void> {
    const { tokens } = this.parts;
    const used = await this.proven(ctx);
    const resource = tokens.resourceOf(ctx);
    const answered = tokens.answer(ctx, {
      principal: await this.activeAccount(ctx.oidc.client.clientId),
      resource,
      givenFor: 'client-credentials',
      by: used.by,
      grantId: used.id,
      expiresAtMs: used.expiresAtMs ?? Infinity,
    });
    await asOAuth(answered, (detail) => new errors.InvalidClientAuth(detail));
  }

  /** RFC 8693: an agent for a person, where a rule says that it may. */
  private async tokenExchange(ctx: GrantContext): Promise<void> {
    const { tokens, rules } = this.parts;
    const { requested_token_type: requested = `${TYPE}access_token` } = ctx.oidc.params;
    if (requested !== `${TYPE}access_token`) throw new errors.InvalidRequest('only access tokens are issued');
    const subject = await this.subjectOf(ctx);
    const resource = tokens.resourceOf(ctx, subject.audience);
    const actor = await this.actorOf(ctx, resource);
    const act: ActClaim = { ...actor.act, ...(subject.act === undefined ? {} : { act: subject.act }) };
    const endsWith = [...new Set([...subject.endsWith, ...actor.endsWith])];
    const { principal } = subject;
    const virtualServer = resource.slice(resource.lastIndexOf('/') + 1);
    const depth = actorsOf(act).length;
    const ruleFor = (subjectNow: Principal): MayActRule => {
      const rule = mayAct(rules, { actor: actor.party, subject: subjectNow, virtualServer, depth });
      if (rule !== undefined && endsWith.length <= ENDS_WITH_MAX) return rule;
      throw new NotTaken(`no rule lets ${actor.act.sub} act for ${principal.id} on ${virtualServer}, ${depth} deep`);
    };
    const answered = tokens.answer(ctx, {
      principal,
      actors: [...subject.actors, ...actor.principals],
      resource,
      givenFor: 'token-exchange',
      by: actor.by,
      ...(actor.name === undefined ? {} : { name: actor.name }),
      expiresAtMs: Math.min(subject.expiresAtMs, actor.expiresAtMs),
      act,
      endsWith,
      rule: ruleFor,
    });
    await asOAuth(answered, unacceptable);
  }

  /** RFC 7523 section 2.1 with an ID-JAG: a client for a person, by the word of the company's provider. */
  private async idJag(ctx: GrantContext): Promise<void> {
    const { tokens, company, idJagClients } = this.parts;
    const { clientId } = ctx.oidc.client;
    if (!idJagClients.has(clientId)) throw new errors.UnauthorizedClient();
    const { assertion } = ctx.oidc.params;
    if (assertion === undefined) throw new errors.InvalidRequest('assertion is missing');
    const invalid = (detail: string): Error => new errors.InvalidGrant(detail);
    const said = await asOAuth(company.idJag(assertion, clientId), invalid);
    const resource = tokens.resourceOf(ctx, said.resource);
    if (said.scope !== undefined && !said.scope.split(' ').includes(OAUTH_SCOPE))
      throw new errors.InvalidScope('the assertion grants another scope', said.scope);
    const answered = tokens.answer(ctx, {
      principal: said.principal,
      resource,
      givenFor: 'id-jag',
      by: 'advance',
      expiresAtMs: Infinity,
    });
    await asOAuth(answered, invalid);
  }

  private async subjectOf({ oidc: { params } }: GrantContext): Promise<Presented> {
    const { own, company } = this.parts;
    const { subject_token: text, subject_token_type: type } = params;
    if (text === undefined || type === undefined)
      throw new errors.InvalidRequest('subject_token and its type are missing');
    const kinds = new Map([
      [`${TYPE}access_token`, () => own.examine(text)],
      [`${TYPE}id_token`, () => company.idToken(text)],
    ]);
    const examine = kinds.get(type);
    if (examine === undefined) throw new errors.InvalidRequest('subject_token_type is not supported');
    const subject = await asOAuth(examine(), (detail) => unacceptable(`subject_token: ${detail}`));
    if (subject.principal.kind !== 'human') throw unacceptable('subject_token: agents act for people only');
    return subject;
  }

  private async actorOf(ctx: GrantContext, resource: string): Promise<Acting> {
    const { workloads } = this.parts;
    const { client, params } = ctx.oidc;
    const { actor_token: text, actor_token_type: type } = params;
    if (isServiceAccount(client.clientId)) return this.serviceActor(ctx, resource);
    if (!workloads.has(client.clientId)) throw new errors.UnauthorizedClient();
    if (text === undefined || type !== `${TYPE}jwt`)
      throw new errors.InvalidRequest('actor_token of type jwt is missing');
    const examined = workloads.examine(client.clientId, text);
    const { domain, subject, issuer, expiresAtMs } = await asOAuth(examined, notThisActor);
    return {
      party: { kind: domain.kind, trustDomain: domain.id, id: subject },
      act: { sub: subject, iss: issuer, kind: domain.kind },
      by: 'workload',
      name: subject,
      principals: [],
      expiresAtMs,
      endsWith: [],
    };
  }

  /** A service account has proved itself as the client; a token that it presents besides must be its own. */
  private async serviceActor(ctx: GrantContext, resource: string): Promise<Acting> {
    const { client, params } = ctx.oidc;
    const used = await this.proven(ctx);
    const account = await this.activeAccount(client.clientId);
    const { id } = account;
    const { actor_token: text, actor_token_type: type } = params;
    let expiresAtMs = used.expiresAtMs ?? Infinity;
    const endsWith = [used.id];
    if (text !== undefined) {
      if (type !== `${TYPE}access_token`) throw new errors.InvalidRequest('actor_token_type is not supported');
      const presented = await asOAuth(this.parts.own.examine(text), notThisActor);
      if (presented.principal.id !== id || presented.act !== undefined || presented.audience !== resource)
        throw unacceptable("actor_token: not the service account's own for this virtual server");
      expiresAtMs = Math.min(expiresAtMs, presented.expiresAtMs);
      endsWith.push(...presented.endsWith);
    }
    const party = { kind: 'service', id, team: await this.parts.credentials.teamOf(id) } as const;
    const act = { sub: id, kind: 'service' } as const;
    return { party, principals: [account], act, by: used.by, expiresAtMs, endsWith };
  }

  /** With which credential a service account came; the library has verified it. @throws UnauthorizedClient for others */
  private async proven({ oidc, headers }: GrantContext): Promise<UsedCredential> {
    const { clientId } = oidc.client;
    if (!isServiceAccount(clientId)) throw new errors.UnauthorizedClient();
    const secret = (oidc.params['client_secret'] as string | undefined) ?? basicSecret(headers.authorization);
    const used = await this.parts.credentials.used(clientId, secret);
    if (used === undefined) throw new errors.InvalidClientAuth('the credential has ended');
    return used;
  }

  private async activeAccount(id: string): Promise<Principal> {
    const found = await this.parts.store.source.manager.findOneBy(Principal, { id });
    if (found?.status !== 'active') throw new errors.InvalidClientAuth('the service account is not active');
    return found;
  }
}

/** Ids of service accounts begin so; other clients cannot choose theirs. */
export function isServiceAccount(clientId: string): boolean {
  return clientId.startsWith('svc_');
}

function basicSecret(authorization: string | undefined): string | undefined {
  const [, encoded] = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [, secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(/:(.*)/s, 2);
  return decodeURIComponent(secret.replaceAll('+', '%20'));
}

/** RFC 8693 section 2.2.2: tokens that are not acceptable are an invalid request; why is the operator's to know. */
function unacceptable(detail: string): Error {
  return new errors.InvalidRequest('the tokens cannot be exchanged', 400, { detail } as never);
}

function notThisActor(detail: string): Error {
  return unacceptable(`actor_token: ${detail}`);
}

/** @throws what `told` makes of the reason, where something is not taken */
async function asOAuth<T>(work: Promise<T>, told: (detail: string) => Error): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof NotTaken ? told(error.message) : error;
  }
}
