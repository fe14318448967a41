import type { TokenScopes } from '@warder/contracts';
import { BUILT_INS } from './built-in.js';
import type { CompiledGrant, CompiledPolicy } from './compile-policy.js';
import { foldEmail, type Subject } from './subject.js';
import { compilePattern, parseCanonicalTool, patternMatches, type CanonicalTool } from './tool-pattern.js';

/** What may be asked; a method that is not named here is denied, whatever the grants say. */
export type AccessAction = 'tools/call' | 'tools/list';

export interface AccessRequest {
  readonly subject: Subject;
  readonly action: AccessAction;
  /** Canonical `upstream/tool`, never an exposed name. */
  readonly resource: string;
  /** Whether the tool's definition says that it only reads; of a tool that is not known nobody says so. */
  readonly isReadOnly: boolean;
}

/** `rule` is the name of the grant that decided, or one of those below. */
export interface Decision {
  readonly effect: 'permit' | 'forbid';
  readonly rule: string;
}

export const DEFAULT_DENY = 'default deny';
export const TOKEN_SCOPE = 'token scope';
export const TOKEN_READ_ONLY = 'token scope: read-only';
export const TOKEN_VIRTUAL_SERVER = 'token scope: virtual server';
export const ROLE_MISSING = 'role missing';

const ACTIONS: ReadonlySet<string> = new Set<AccessAction>(['tools/call', 'tools/list']);

/**
 * Decides one request: a forbid wins, nothing said is forbidden, then the token's scopes cut what is left. Of several
 * grants that decide alike the first of the document is named.
 */
export function evaluate(request: AccessRequest, policy: CompiledPolicy): Decision {
  const tool = parseCanonicalTool(request.resource);
  if (!tool || !ACTIONS.has(request.action)) return { effect: 'forbid', rule: DEFAULT_DENY };
  // What is built in is for a role: a grant of every tool of every upstream does not mean it.
  const role = BUILT_INS.get(tool.upstream)?.role;
  if (role !== undefined && !request.subject.roles.includes(role)) return { effect: 'forbid', rule: ROLE_MISSING };
  const grants = applyingGrants(request.subject, tool, policy);
  const forbid = grants.find((grant) => grant.effect === 'forbid');
  if (forbid) return { effect: 'forbid', rule: forbid.name };
  const permit = grants.find((grant) => grant.effect === 'permit');
  if (!permit) return { effect: 'forbid', rule: DEFAULT_DENY };
  if (!isWithinScopes(request.subject, tool)) return { effect: 'forbid', rule: TOKEN_SCOPE };
  if (request.subject.scopes?.readOnly && !request.isReadOnly) return { effect: 'forbid', rule: TOKEN_READ_ONLY };
  return { effect: 'permit', rule: permit.name };
}

/** Whether the scopes of a token let it be used at the virtual server; asked before any tool is. */
export function coversVirtualServer(scopes: TokenScopes, virtualServer: string): boolean {
  const names = scopes.virtualServers ?? null;
  return names === null || names.includes(virtualServer);
}

/** Every grant that speaks of this subject and tool, in the order of the document: what `explain` shows. */
export function matchingGrants(
  request: Pick<AccessRequest, 'subject' | 'resource'>,
  policy: CompiledPolicy,
): readonly CompiledGrant[] {
  const tool = parseCanonicalTool(request.resource);
  return tool ? applyingGrants(request.subject, tool, policy) : [];
}

function applyingGrants(subject: Subject, tool: CanonicalTool, policy: CompiledPolicy): CompiledGrant[] {
  // A set, for a directory may name a group twice, and an id may be an address.
  const found = new Set<CompiledGrant>();
  const collect = (grants: readonly CompiledGrant[] | undefined) => {
    for (const grant of grants ?? [])
      if (grant.patterns.some((pattern) => patternMatches(pattern, tool))) found.add(grant);
  };
  for (const group of subject.groups) collect(policy.grantsOfGroup.get(group));
  for (const role of subject.roles) collect(policy.grantsOfRole.get(role));
  collect(policy.grantsOfPrincipal.get(subject.id));
  // An address is looked up only if it is one: an "address" without @ could name another principal's id.
  if (subject.email?.includes('@')) collect(policy.grantsOfPrincipal.get(foldEmail(subject.email)));
  return [...found].sort((left, right) => left.order - right.order);
}

function isWithinScopes(subject: Subject, tool: CanonicalTool): boolean {
  const patterns = subject.scopes?.tools ?? null;
  if (patterns === null) return true;
  return patterns.some((text) => {
    const pattern = compilePattern(text);
    return pattern !== undefined && patternMatches(pattern, tool);
  });
}
