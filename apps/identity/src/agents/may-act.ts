import type { MayActRule } from './agents-config.js';

/** Who asks to act: a service account of ours, or a workload of a trust domain. */
export type ActingParty =
  | { readonly kind: 'service'; readonly id: string; readonly team: string }
  | { readonly kind: 'spiffe' | 'kubernetes'; readonly trustDomain: string; readonly id: string };

/** What is asked of the rules. */
export interface MayActQuestion {
  readonly actor: ActingParty;
  readonly subject: { readonly id: string; readonly groups: readonly string[] };
  readonly virtualServer: string;
  /** Actors of the chain as it would be, this one included. */
  readonly depth: number;
}

/** The first rule that allows it; undefined: it is not allowed. */
export function mayAct(rules: readonly MayActRule[], question: MayActQuestion): MayActRule | undefined {
  const { actor, subject, virtualServer, depth } = question;
  return rules.find(
    (rule) =>
      isOfRule(rule, actor) &&
      (rule.principals.includes(subject.id) || rule.groups.some((group) => subject.groups.includes(group))) &&
      rule.virtualServers.includes(virtualServer) &&
      depth <= rule.depthMax,
  );
}

function isOfRule({ serviceAccounts, teams, workloads }: MayActRule, actor: ActingParty): boolean {
  if (actor.kind === 'service') return serviceAccounts.includes(actor.id) || teams.includes(actor.team);
  return workloads.some(({ trustDomain, subject }) => trustDomain === actor.trustDomain && matches(subject, actor.id));
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
