import type { DefinitionRule, DefinitionVerdicts, ToolVerdict } from '@warder/contracts';

/**
 * How the definition of a tool stands. `accepted`: an administrator said that it is right; `trusted`: the policy trusts
 * its upstream; `unpinned`: nobody has accepted anything of its upstream, and it is as it was first seen; `new`: others
 * of its upstream were accepted, or it may not be shown before it was; `changed`: it is not what was accepted, or first
 * seen; `rejected`: an administrator refused it.
 */
export type DefinitionStanding = 'accepted' | 'trusted' | 'unpinned' | 'new' | 'changed' | 'rejected';

/** What is known of the definitions of every upstream, by its name. */
export type DefinitionPins = ReadonlyMap<string, UpstreamPins>;

/** The verdicts on one upstream, ready for asking. */
export class UpstreamPins {
  private readonly tools: ReadonlyMap<string, ToolVerdict>;
  /** Whether an administrator accepted anything of it. */
  private readonly isPinned: boolean;

  constructor(readonly verdicts: DefinitionVerdicts) {
    this.tools = new Map(verdicts.status === 'active' ? verdicts.tools.map((each) => [each.tool, each]) : []);
    this.isPinned = [...this.tools.values()].some(({ accepted }) => accepted.length > 0);
  }

  /** @param hash - of the definition that the upstream lists now */
  standingOf(tool: string, hash: string, rule: DefinitionRule): DefinitionStanding {
    const verdict = this.tools.get(tool);
    if (verdict?.rejected.includes(hash)) return 'rejected';
    if (verdict?.accepted.includes(hash)) return 'accepted';
    if (rule === 'trust') return 'trusted';
    if (verdict !== undefined && verdict.accepted.length > 0) return 'changed';
    if (verdict !== undefined && verdict.firstSeen !== hash) return 'changed';
    const isUnseen = verdict === undefined && this.verdicts.isFull === true;
    return this.isPinned || isUnseen || rule === 'hide' || rule === 'flag' ? 'new' : 'unpinned';
  }
}

const NOTHING_KNOWN = new UpstreamPins({ version: 0, status: 'removed', upstream: '', tools: [] });

/** How a definition stands, where nothing may be known of its upstream. */
export function standingOf(
  pins: UpstreamPins | undefined,
  tool: string,
  hash: string,
  rule: DefinitionRule,
): DefinitionStanding {
  return (pins ?? NOTHING_KNOWN).standingOf(tool, hash, rule);
}

/** Whether a tool of this standing is shown and called under the rule. */
export function isShown(standing: DefinitionStanding, rule: DefinitionRule): boolean {
  if (standing === 'rejected') return false;
  return rule === 'flag' || (standing !== 'new' && standing !== 'changed');
}
