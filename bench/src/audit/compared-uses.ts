/** A line of the answer to who used what, without its samples. */
export interface UseLine {
  readonly agent: { readonly id: string; readonly name: string } | null;
  readonly human: { readonly id: string; readonly name: string; readonly email: string | null } | null;
  readonly upstream: string;
  readonly tool: string | null;
  readonly count: number;
  readonly refused: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** What tells one use from another. */
export const keyOf = ({ upstream, tool, human, agent }: UseLine): string =>
  JSON.stringify([upstream, tool, human?.id ?? null, agent?.id ?? null]);

/** In one order of members, so that lines that say the same are the same text. */
const textOf = ({ agent, human, upstream, tool, count, refused, firstAtMs, lastAtMs }: UseLine): string =>
  JSON.stringify([
    upstream,
    tool,
    human && [human.id, human.name, human.email],
    agent && [agent.id, agent.name],
    [count, refused, firstAtMs, lastAtMs],
  ]);

/**
 * What an answer says otherwise than a count of the records themselves, a sentence each: a line that is missing, that
 * nobody counted, that comes twice or that differs in anything.
 */
export function differences(answered: readonly UseLine[], counted: readonly UseLine[]): string[] {
  const left = new Map(counted.map((line) => [keyOf(line), line]));
  const found: string[] = [];
  for (const line of answered) {
    const key = keyOf(line);
    const own = left.get(key);
    if (own === undefined) found.push(`the answer has a line too many: ${textOf(line)}`);
    else if (textOf(own) !== textOf(line)) found.push(`the answer says ${textOf(line)}, the records ${textOf(own)}`);
    left.delete(key);
  }
  return [...found, ...[...left.values()].map((line) => `the answer lacks ${textOf(line)}`)];
}
