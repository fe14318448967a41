import { type DefinitionStanding, UpstreamPins } from '@warder/catalog';
import type { DefinitionVerdicts, Finding } from '@warder/contracts';
import type { ScreeningEngine } from '@warder/detectors';
import { definitionDiff, readable } from './definition-diff.js';
import { verdictsOf } from './definitions.store.js';
import type { Shadow, ToolNames } from './shadowed-tools.js';
import type { ToolDefinitionRow } from './tool-definition.entity.js';

/** A tool as it is listed now, and how that stands. */
export interface ListedDefinition {
  readonly tool: string;
  readonly hash: string;
  readonly standing: DefinitionStanding;
  readonly seenAtMs: number;
  /** What detectors say of its texts. */
  readonly findings: readonly Finding[];
  /** Tools of other upstreams that it looks like or speaks of. */
  readonly shadows: readonly Shadow[];
}

/** A definition that a tool has or had. */
export interface KnownDefinition {
  readonly hash: string;
  /** Lines of JSON; what cannot be seen is escaped. */
  readonly definition: string;
  readonly isListed: boolean;
  readonly isFirst: boolean;
  readonly verdict: ToolDefinitionRow['verdict'];
  readonly seenAtMs: number;
  readonly decidedAtMs: number | null;
  readonly decidedBy: string | null;
}

const FLAG_ALL = { secret: 'flag', pii: 'off', injection: 'flag', hidden: 'flag' } as const;
const FINDINGS_MAX = 20;

export interface Lookers {
  readonly engine: ScreeningEngine;
  readonly names: ToolNames;
}

/** How what an upstream lists now stands. */
export function listedView(upstream: string, rows: readonly ToolDefinitionRow[], { engine, names }: Lookers) {
  const pins = pinsOf(upstream, rows);
  return rows
    .filter(({ isListed }) => isListed)
    .map((row): ListedDefinition => {
      const definition = JSON.parse(row.definition) as { name: string };
      return {
        tool: row.tool,
        hash: row.hash,
        // As where the policy asks for acceptance: guardrails do not know which rule it has for the upstream.
        standing: pins.standingOf(row.tool, row.hash, 'flag'),
        seenAtMs: Number(row.seenAtMs),
        findings: engine.screen(definition, 'response', FLAG_ALL).findings.slice(0, FINDINGS_MAX),
        shadows: names.shadowedBy(upstream, definition),
      };
    });
}

/** Everything of one tool, and what changed against what was accepted last, or first seen. */
export function toolView(rows: readonly ToolDefinitionRow[]): {
  readonly definitions: readonly KnownDefinition[];
  readonly diff: string | null;
} {
  const listed = rows.find(({ isListed }) => isListed);
  const accepted = rows.filter(({ verdict }) => verdict === 'accepted');
  accepted.sort((left, right) => Number(right.decidedAtMs) - Number(left.decidedAtMs));
  const before = accepted[0] ?? rows.find(({ isFirst }) => isFirst);
  const isChanged = listed !== undefined && before !== undefined && !accepted.includes(listed) && before !== listed;
  return {
    definitions: rows.map(knownOf),
    diff: isChanged ? (definitionDiff(before.definition, listed.definition) ?? null) : null,
  };
}

function knownOf(row: ToolDefinitionRow): KnownDefinition {
  const { hash, isListed, isFirst, verdict, decidedBy } = row;
  return {
    hash,
    definition: readable(row.definition),
    isListed,
    isFirst,
    verdict,
    seenAtMs: Number(row.seenAtMs),
    decidedAtMs: row.decidedAtMs === null ? null : Number(row.decidedAtMs),
    decidedBy,
  };
}

function pinsOf(upstream: string, rows: readonly ToolDefinitionRow[]): UpstreamPins {
  const decided = rows.filter(({ isFirst, verdict }) => isFirst || verdict !== null);
  const verdicts: DefinitionVerdicts = { version: 1, status: 'active', upstream, tools: verdictsOf(decided) };
  return new UpstreamPins(verdicts);
}
