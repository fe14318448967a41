import { CaptureLevel, type VirtualServer } from '@warder/contracts';
import { type CanonicalTool, compilePattern, type CompiledPattern, patternMatches } from './tool-pattern.js';

/** How much the records of one virtual server keep, made ready for asking. */
export interface CaptureRules {
  readonly level: CaptureLevel;
  /** Of single tools, the most specific first. */
  readonly tools: readonly { readonly pattern: CompiledPattern; readonly level: CaptureLevel }[];
}

/**
 * Orders the patterns of a virtual server so that the first one that matches decides: a name before a pattern, then the
 * one with more characters that are no star, and of two alike the one that keeps less.
 */
export function compileCaptureRules({ capture, tools }: VirtualServer['record']): CaptureRules {
  const compiled = Object.entries(tools).flatMap(([text, { capture: level }]) => {
    const pattern = compilePattern(text);
    return pattern === undefined ? [] : [{ pattern, level }];
  });
  compiled.sort(
    (one, other) =>
      Number(one.pattern.text.includes('*')) - Number(other.pattern.text.includes('*')) ||
      literalsOf(other.pattern) - literalsOf(one.pattern) ||
      LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level),
  );
  return { level: capture, tools: compiled };
}

/** How much a record keeps of a call of `tool`, or of what names no tool. */
export function captureLevelOf(rules: CaptureRules, tool?: CanonicalTool): CaptureLevel {
  if (tool === undefined) return rules.level;
  return rules.tools.find(({ pattern }) => patternMatches(pattern, tool))?.level ?? rules.level;
}

// From the one that keeps least.
const LEVELS: readonly CaptureLevel[] = CaptureLevel.options;

const literalsOf = ({ text }: CompiledPattern): number => text.replaceAll('*', '').length;
