import type { ApprovalRequested, PrincipalState } from '@warder/contracts';

/** People and services as they are now. */
export type People = (id: string) => PrincipalState | undefined;

/**
 * Why somebody may not decide; undefined where they may. The groups of the terms decide, or administrators; never a
 * service, for a human is asked. With four eyes it is never who asks, whatever they are called there.
 */
export function whyNot(asked: ApprovalRequested, decider: PrincipalState, people: People): string | undefined {
  const { terms } = asked;
  if (decider.kind !== 'human' || decider.status !== 'active') return 'a person decides, and an active one';
  const isNamed =
    terms.by.length === 0 ? decider.roles.includes('admin') : decider.groups.some((group) => terms.by.includes(group));
  if (!isNamed) return terms.by.length === 0 ? 'an administrator decides' : `one of ${terms.by.join(', ')} decides`;
  if (terms.fourEyes && isOfAskers(asked, decider, people)) return 'somebody else than who asks decides';
  return undefined;
}

/** As `whyNot`, where they are: the bearer of a token may be the agent's own, which must not say yes to itself. */
export function whyNotHere(
  asked: ApprovalRequested,
  decider: PrincipalState,
  people: People,
  isOnPage: boolean,
): string | undefined {
  const why = whyNot(asked, decider, people);
  if (why !== undefined || isOnPage) return why;
  return isOfAskers(asked, decider, people)
    ? 'who asks decides on the page, signed in, and not with a token'
    : undefined;
}

/** Whether somebody may see the question: who asks, who decides, and who administers or audits. */
export function maySee(asked: ApprovalRequested, visitor: PrincipalState, people: People): boolean {
  if (visitor.roles.some((role) => role === 'admin' || role === 'auditor')) return true;
  return isOfAskers(asked, visitor, people) || whyNot(asked, visitor, people) === undefined;
}

/** Whether the person is who asks: as the principal, by who acts for it, or as the owner of either. */
function isOfAskers(asked: ApprovalRequested, person: PrincipalState, people: People): boolean {
  const askers = [asked.principalId, ...asked.actors.map(({ id }) => id)];
  // An owner is a person, who is owned by nobody.
  const owners = askers.flatMap((id) => people(id)?.ownerId ?? []);
  const ids = new Set([...askers, ...owners]);
  if (ids.has(person.id)) return true;
  return [...ids].some((id) => {
    const asker = people(id);
    return asker !== undefined && isSamePerson(asker, person);
  });
}

/** Two accounts of one person: of one address, or of one account at a provider or in the directory. */
function isSamePerson(one: PrincipalState, other: PrincipalState): boolean {
  if (one.email !== null && one.email.trim().toLowerCase() === other.email?.trim().toLowerCase()) return true;
  const known = new Set((one.subjects ?? []).map(({ provider, subject }) => `${provider}\n${subject}`));
  return (other.subjects ?? []).some(({ provider, subject }) => known.has(`${provider}\n${subject}`));
}
