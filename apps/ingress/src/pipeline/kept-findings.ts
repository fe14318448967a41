import { ActionWord, type Finding } from '@warder/contracts';

/** Kinds of findings that a call remembers past the places that it remembers: what a provider calls things has no end. */
const KINDS_MAX = 1_000;

/**
 * Adds findings to those that are kept. Past `max` they have no place and are counted with those of their kind, so that
 * whoever floods a call with harmless ones hides none.
 */
export function keep(kept: Finding[], findings: readonly Finding[], max: number): void {
  const room = Math.max(0, max - kept.length);
  kept.push(...findings.slice(0, room));
  if (findings.length <= room) return;
  const more = new Map<string, Finding>();
  for (const finding of findings.slice(room)) {
    const { count = 0 } = more.get(kindOf(finding)) ?? {};
    more.set(kindOf(finding), { ...finding, place: '', count: count + finding.count });
  }
  const known = new Map(kept.map((finding, at) => [`${kindOf(finding)} ${finding.place}`, at]));
  for (const finding of [...more.values()].toSorted(bySeverity)) {
    const at = known.get(`${kindOf(finding)} `);
    const before = at === undefined ? undefined : kept[at];
    if (at !== undefined && before !== undefined) kept[at] = { ...before, count: before.count + finding.count };
    else if (kept.length < max + KINDS_MAX) kept.push(finding);
  }
}

/** As many as a record holds: where there are more, one of each kind first, the most severe before all. */
export function mostTelling(findings: readonly Finding[], max: number): readonly Finding[] {
  if (findings.length <= max) return findings;
  const first = new Map<string, Finding>();
  const others: Finding[] = [];
  for (const finding of findings) {
    const kind = kindOf(finding);
    if (first.has(kind)) others.push(finding);
    else first.set(kind, finding);
  }
  return [...[...first.values()].toSorted(bySeverity), ...others].slice(0, max);
}

const kindOf = ({ phase, detector, category, action, rule = '' }: Finding): string =>
  `${phase} ${detector} ${category} ${action} ${rule}`;

const bySeverity = (one: Finding, other: Finding): number =>
  ActionWord.options.indexOf(other.action) - ActionWord.options.indexOf(one.action);
