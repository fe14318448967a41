import { Name, Role } from '@warder/contracts';
import { z } from 'zod';

/** `to` may hold one `*`, in the place of what the first `*` of `from` stood for. */
const Target = z.string().regex(/^(?!.*\*.*\*)[a-z0-9*-]{1,40}$/, 'a name of a-z, 0-9 and "-", with one "*" at most');

/**
 * What membership elsewhere means here. `from` is matched with a group's display name, or with the value of a claim or
 * an attribute, in whatever case; `*` stands for any run of characters. Without `to` and `role` the group has the same
 * name, normalised.
 */
export const GroupRule = z.strictObject({
  from: z.string().min(1).max(256),
  to: Target.optional(),
  role: Role.optional(),
});
export type GroupRule = z.infer<typeof GroupRule>;

/** Every rule that matches counts; a name that none maps gives nothing. */
export const GroupRules = z.array(GroupRule).max(500);

/** What somebody has by the rules: sorted, each once. */
export interface MappedGroups {
  readonly groups: string[];
  readonly roles: Role[];
}

/**
 * Maps names of groups from outside (SCIM display names, claim or attribute values) to groups and roles of Warder.
 * Roles come from rules that name one, and from nothing else.
 */
export function mapGroups(rules: readonly GroupRule[], names: readonly string[]): MappedGroups {
  const groups = new Set<string>();
  const roles = new Set<Role>();
  for (const name of names) {
    for (const rule of rules) {
      const star = matched(rule.from, name);
      if (star === undefined) continue;
      if (rule.role !== undefined) roles.add(rule.role);
      const group = targetOf(rule, name, star);
      if (group !== undefined) groups.add(group);
    }
  }
  return { groups: [...groups].toSorted(), roles: [...roles].toSorted() };
}

/**
 * A name in the form of Warder's: lower case without accents, anything else a `-`.
 * @returns undefined where nothing is left, or more than 40 characters: a cut name might be another group's
 */
export function normalisedName(text: string): string | undefined {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const name = Name.safeParse(plain.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, ''));
  return name.success ? name.data : undefined;
}

function targetOf({ to, role }: GroupRule, name: string, star: string): string | undefined {
  if (to === undefined) return role === undefined ? normalisedName(name) : undefined;
  return to.includes('*') ? normalisedName(to.replace('*', () => star)) : normalisedName(to);
}

/** What the first `*` stood for, empty without one; undefined where the pattern does not match. In linear time. */
function matched(pattern: string, name: string): string | undefined {
  const [first = '', ...parts] = pattern.toLowerCase().split('*');
  const text = name.toLowerCase();
  const last = parts.pop();
  if (last === undefined) return text === first ? '' : undefined;
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return undefined;
  let at = first.length;
  let starEnd: number | undefined;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return undefined;
    starEnd ??= found;
    at = found + part.length;
  }
  return text.slice(first.length, starEnd ?? end);
}
