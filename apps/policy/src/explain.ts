import {
  type Caller,
  type CompiledGrant,
  type CompiledPolicy,
  coversVirtualServer,
  type Decision,
  DEFAULT_DENY,
  evaluate,
  matchingGrants,
  parseCanonicalTool,
  ROLE_MISSING,
  subjectOf,
  TOKEN_READ_ONLY,
  TOKEN_SCOPE,
  TOKEN_VIRTUAL_SERVER,
} from '@warder/access';
import type { Catalog } from '@warder/catalog';
import type { ExplainRequest, FlowLabel, FlowSettings, Grant, PrincipalState, TokenState } from '@warder/contracts';
import { flowSettingsOf, type FlowMode, flowOfUpstream, labelsOf, namesOf } from '@warder/flow';

/** Labels of a tool, and what its virtual server does by them. */
export interface ExplainedFlow {
  readonly labels: readonly FlowLabel[];
  readonly preset: FlowSettings['preset'];
  readonly mode: FlowMode;
}

/** Why a principal may or may not call a tool. */
export interface Explanation {
  /** What a call would meet now. */
  readonly decision: Decision['effect'];
  /** Name of the grant, or of the reason where none decided. */
  readonly rule: string;
  /** Sentences for an operator, in the order in which a call meets them. */
  readonly why: readonly string[];
  readonly policyVersion: number;
  /** Canonical name; `null` when the exposed name leads nowhere. */
  readonly tool: string | null;
  readonly virtualServer: string | null;
  /** Names under which the virtual server exposes the tool. */
  readonly exposedNames: readonly string[];
  /** Every grant that speaks of principal and tool, in the order of the document. */
  readonly grants: readonly {
    readonly name: string;
    readonly effect: Grant['effect'];
    readonly to: CompiledGrant['to'];
  }[];
  /** What the flow policy knows of the tool; null without a virtual server that exposes it. */
  readonly flow: ExplainedFlow | null;
  readonly principal: Pick<PrincipalState, 'id' | 'name' | 'email' | 'groups' | 'status'>;
  readonly token: Pick<TokenState, 'id' | 'name' | 'status' | 'expiresAtMs' | 'scopes'> | null;
}

export interface ExplainContext {
  readonly policy: CompiledPolicy;
  readonly catalog: Catalog;
  readonly nowMs: number;
}

/** A caller with all that is known of its token. */
export interface Explained extends Caller {
  readonly token: TokenState | null;
}

/** Answers by the very function that ingress decides with, and says what stands around its decision. */
export function explain(
  request: Pick<ExplainRequest, 'tool' | 'virtualServer'>,
  caller: Explained,
  context: ExplainContext,
): Explanation {
  const { policy, catalog } = context;
  const virtualServer = request.virtualServer ?? null;
  const canonical = canonicalOf(request.tool, virtualServer, catalog);
  const exposedNames = canonical && virtualServer ? catalog.exposedNamesOf(virtualServer, canonical) : [];
  const named = canonical === null ? undefined : parseCanonicalTool(canonical);
  const isReadOnly = named !== undefined && catalog.isReadOnly(named);
  const question = { subject: subjectOf(caller), action: 'tools/call', resource: canonical ?? '', isReadOnly } as const;
  const decided = evaluate(question, policy);
  const barrier =
    identityBarrier(caller, context.nowMs) ??
    serverBarrier(caller, virtualServer) ??
    exposureBarrier(request.tool, virtualServer, canonical, exposedNames, catalog);
  return {
    decision: barrier ? 'forbid' : decided.effect,
    rule: barrier?.rule ?? decided.rule,
    why: [...(barrier ? [barrier.why] : []), ...(canonical ? [sentenceOf(decided, canonical)] : [])],
    policyVersion: policy.version,
    tool: canonical,
    virtualServer,
    exposedNames,
    grants: matchingGrants(question, policy).map(({ name, effect, to }) => ({ name, effect, to })),
    flow: flowOf(virtualServer, exposedNames[0], context),
    ...identityOf(caller),
  };
}

function flowOf(
  virtualServer: string | null,
  exposedName: string | undefined,
  { policy, catalog }: ExplainContext,
): ExplainedFlow | null {
  if (virtualServer === null || exposedName === undefined) return null;
  const tool = catalog.resolveExposed(virtualServer, exposedName);
  if (tool === undefined) return null;
  const { preset, mode } = flowSettingsOf(policy.virtualServers.get(virtualServer)?.settings.flow);
  const bits = labelsOf(flowOfUpstream(policy.upstreams.get(tool.upstream)), { ...tool.definition, name: tool.tool });
  return { labels: namesOf(bits), preset, mode };
}

function identityOf({ principal, token }: Explained): Pick<Explanation, 'principal' | 'token'> {
  const { id, name, email, groups, status } = principal;
  return {
    principal: { id, name, email, groups, status },
    token: token && {
      id: token.id,
      name: token.name,
      status: token.status,
      expiresAtMs: token.expiresAtMs,
      scopes: token.scopes,
    },
  };
}

// An exposed name never holds a slash and a canonical one always does, so neither is taken for the other.
function canonicalOf(tool: string, virtualServer: string | null, catalog: Catalog): string | null {
  if (parseCanonicalTool(tool)) return tool;
  if (virtualServer === null) return null;
  const found = catalog.resolveExposed(virtualServer, tool) ?? catalog.hiddenTool(virtualServer, tool);
  return found?.canonical ?? null;
}

interface Barrier {
  readonly rule: string;
  readonly why: string;
}

function identityBarrier({ principal, token }: Explained, nowMs: number): Barrier | undefined {
  if (principal.status !== 'active')
    return { rule: `principal ${principal.status}`, why: `principal ${principal.id} is ${principal.status}` };
  if (!token) return undefined;
  if (token.status !== 'active') return { rule: 'token revoked', why: `token ${token.id} is revoked` };
  return token.expiresAtMs <= nowMs ? { rule: 'token expired', why: `token ${token.id} is expired` } : undefined;
}

function serverBarrier({ token }: Caller, virtualServer: string | null): Barrier | undefined {
  if (!token || virtualServer === null || coversVirtualServer(token.scopes, virtualServer)) return undefined;
  return {
    rule: TOKEN_VIRTUAL_SERVER,
    why: `the scopes of the token do not cover the virtual server ${virtualServer}`,
  };
}

function exposureBarrier(
  asked: string,
  virtualServer: string | null,
  canonical: string | null,
  exposedNames: readonly string[],
  catalog: Catalog,
): Barrier | undefined {
  if (virtualServer === null)
    return canonical
      ? undefined
      : { rule: 'not canonical', why: `${asked} is not "upstream/tool"; name a virtual server` };
  if (exposedNames.length > 0) return undefined;
  const hidden = catalog.hiddenTools(virtualServer).find((tool) => tool.canonical === canonical);
  if (hidden !== undefined) {
    const why = `the definition of ${hidden.canonical} is ${hidden.standing}`;
    return { rule: `definition ${hidden.standing}`, why };
  }
  const missing = catalog.missingUpstreams(virtualServer);
  const hint = missing.length > 0 ? ` (never loaded: ${missing.join(', ')})` : '';
  return { rule: 'not exposed', why: `virtual server ${virtualServer} does not expose ${asked}${hint}` };
}

function sentenceOf(decided: Decision, canonical: string): string {
  if (decided.effect === 'permit') return `grant ${decided.rule} permits ${canonical}`;
  switch (decided.rule) {
    case DEFAULT_DENY:
      return `no grant permits ${canonical}`;
    case ROLE_MISSING:
      return `${canonical} is built in, and for a role that the principal lacks`;
    case TOKEN_SCOPE:
      return `the scopes of the token do not cover ${canonical}`;
    case TOKEN_READ_ONLY:
      return `the token is for tools that only read, and the definition of ${canonical} does not say that it does`;
    default:
      return `grant ${decided.rule} forbids ${canonical}`;
  }
}
