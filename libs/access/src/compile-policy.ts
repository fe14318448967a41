import type { CallLimit, Grant, PolicyDocument, Role, Upstream, VirtualServer } from '@warder/contracts';
import { compileProviderRules, type ProviderRules } from './provider-uses.js';
import { BUILT_INS, type BuiltInUpstream, grantOf } from './built-in.js';
import { type ApprovalRules, compileApprovalRules } from './approval-rules.js';
import { type CaptureRules, compileCaptureRules } from './capture-rules.js';
import { foldEmail } from './subject.js';
import { compilePattern, compileWildcard, type CompiledPattern, type Wildcard } from './tool-pattern.js';

/** A grant with its patterns compiled; `order` is its place in the document, by which the answering rule is chosen. */
export interface CompiledGrant {
  readonly order: number;
  readonly name: string;
  readonly effect: Grant['effect'];
  readonly to: Grant['to'] | { readonly role: Role };
  readonly patterns: readonly CompiledPattern[];
}

/** One line of a virtual server: which tools of an upstream it chooses and how they are exposed. */
export interface CompiledSelection {
  readonly upstream: string;
  readonly tool: Wildcard;
  /** False for a line that names one tool, which outranks a pattern. */
  readonly isPattern: boolean;
  readonly as: string | undefined;
  /** Prefix in force: the line's, else the upstream's, else the upstream's name; the empty string means none. */
  readonly prefix: string;
}

export interface CompiledVirtualServer {
  readonly name: string;
  readonly settings: VirtualServer;
  readonly selections: readonly CompiledSelection[];
  /** Upstreams in order of first use. */
  readonly upstreams: readonly string[];
  readonly capture: CaptureRules;
  readonly approval: ApprovalRules;
  readonly providers: ProviderRules;
}

/** A policy made ready for deciding; it is never changed, a new version is a new value. */
export interface CompiledPolicy {
  /** Version of the snapshot; 0 for a document that was never published. */
  readonly version: number;
  readonly upstreams: ReadonlyMap<string, CompiledUpstream>;
  readonly virtualServers: ReadonlyMap<string, CompiledVirtualServer>;
  readonly grantsOfGroup: ReadonlyMap<string, readonly CompiledGrant[]>;
  /** By principal id, or by e-mail address as `foldEmail` writes it. */
  readonly grantsOfPrincipal: ReadonlyMap<string, readonly CompiledGrant[]>;
  /** Of built-ins: a document grants to no role. */
  readonly grantsOfRole: ReadonlyMap<Role, readonly CompiledGrant[]>;
  readonly limit: CallLimit;
}

/** An upstream of the document, or one that is built in. */
export type CompiledUpstream = Upstream | BuiltInUpstream;

/**
 * Compiles every pattern of a document once, and adds what is built in. Total: a line that names what does not exist
 * compiles to nothing, it is the administration's part to refuse such a document.
 * @param version - of the snapshot that carried it, an integer from 1; 0 when there is none
 */
export function compilePolicy(document: PolicyDocument, version = 0): CompiledPolicy {
  const upstreams = new Map<string, CompiledUpstream>(Object.entries(document.upstreams));
  const grantsOfGroup = new Map<string, CompiledGrant[]>();
  const grantsOfPrincipal = new Map<string, CompiledGrant[]>();
  const grantsOfRole = new Map<Role, CompiledGrant[]>();
  document.grants.forEach((grant, order) => {
    const compiled = compileGrant(grant, order);
    if ('group' in grant.to) append(grantsOfGroup, grant.to.group, compiled);
    else append(grantsOfPrincipal, principalKey(grant.to.principal), compiled);
  });
  const servers = new Map(Object.entries(document.virtualServers));
  for (const [name, builtIn] of BUILT_INS) {
    const { role, upstream, virtualServer } = builtIn;
    upstreams.set(name, upstream);
    servers.set(name, virtualServer);
    append(grantsOfRole, role, compileGrant({ ...grantOf(name, builtIn), to: { role } }, document.grants.length));
  }
  const virtualServers = new Map(
    [...servers].map(([name, settings]) => [
      name,
      compileVirtualServer(name, settings, upstreams, document.guardrailProviders),
    ]),
  );
  return {
    version,
    upstreams,
    virtualServers,
    grantsOfGroup,
    grantsOfPrincipal,
    grantsOfRole,
    limit: document.limit,
  };
}

function compileGrant(grant: Omit<Grant, 'to'> & Pick<CompiledGrant, 'to'>, order: number): CompiledGrant {
  const patterns = grant.tools.map(compilePattern).filter((pattern) => pattern !== undefined);
  return { order, name: grant.name, effect: grant.effect, to: grant.to, patterns };
}

function compileVirtualServer(
  name: string,
  settings: VirtualServer,
  upstreams: ReadonlyMap<string, CompiledUpstream>,
  providers: PolicyDocument['guardrailProviders'],
): CompiledVirtualServer {
  const selections = settings.tools.flatMap((line): CompiledSelection[] => {
    const upstream = upstreams.get(line.upstream);
    if (!upstream) return [];
    const prefix = line.prefix ?? upstream.prefix ?? line.upstream;
    const isPattern = line.tool.includes('*');
    return [{ upstream: line.upstream, tool: compileWildcard(line.tool), isPattern, as: line.as, prefix }];
  });
  const upstreamsUsed = [...new Set(selections.map((line) => line.upstream))];
  return {
    name,
    settings,
    selections,
    upstreams: upstreamsUsed,
    capture: compileCaptureRules(settings.record),
    approval: compileApprovalRules(settings.approval),
    providers: compileProviderRules(settings, providers),
  };
}

// An id is compared as it stands; only what looks like an address is folded.
function principalKey(principal: string): string {
  return principal.includes('@') ? foldEmail(principal) : principal;
}

function append<Key>(grants: Map<Key, CompiledGrant[]>, key: Key, grant: CompiledGrant): void {
  const known = grants.get(key);
  if (known) known.push(grant);
  else grants.set(key, [grant]);
}
