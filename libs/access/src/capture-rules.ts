import { CaptureLevel, type VirtualServer } from '@warder/contracts';
import { mostSpecificFirst, type PatternEntry } from './specific-patterns.js';
import { type CanonicalTool, patternMatches } from './tool-pattern.js';

/** How much the records of one virtual server keep, made ready for asking. */
export interface CaptureRules {
  readonly level: CaptureLevel;
  /** Of single tools, the most specific first. */
  readonly tools: readonly PatternEntry<CaptureLevel>[];
}

/** Compiles what a virtual server says; of two patterns as specific as each other the one that keeps less decides. */
export function compileCaptureRules({ capture, tools }: VirtualServer['record']): CaptureRules {
  const levels = Object.entries(tools).map(([text, { capture: level }]) => [text, level] as const);
  return {
    level: capture,
    tools: mostSpecificFirst(levels, (one, other) => LEVELS.indexOf(one) - LEVELS.indexOf(other)),
  };
}

/** How much a record keeps of a call of `tool`, or of what names no tool. */
export function captureLevelOf(rules: CaptureRules, tool?: CanonicalTool): CaptureLevel {
  if (tool === undefined) return rules.level;
  return rules.tools.find(({ pattern }) => patternMatches(pattern, tool))?.value ?? rules.level;
}

// From the one that keeps least.
const LEVELS: readonly CaptureLevel[] = CaptureLevel.options;
