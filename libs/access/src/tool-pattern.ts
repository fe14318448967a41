/** A canonical pattern `upstream/tool`, taken apart once. */
export interface CompiledPattern {
  readonly text: string;
  readonly upstream: Wildcard;
  readonly tool: Wildcard;
}

/** One half of a pattern: the literal runs between its stars; a single run means that there is no star. */
export type Wildcard = readonly string[];

/** The two halves of a canonical name; the upstream's name never holds a slash, the tool's may. */
export interface CanonicalTool {
  readonly upstream: string;
  readonly tool: string;
}

/** Takes a pattern with `*` apart; `*` stands for any run of characters, the empty one included. */
export function compileWildcard(text: string): Wildcard {
  return text.split('*');
}

/**
 * Whether the pattern covers all of the text. Greedy from the left over literal runs, so the time is that of one
 * search per run: a hostile pattern or tool name cannot make it back-track.
 */
export function wildcardMatches(pattern: Wildcard, text: string): boolean {
  const first = pattern[0] ?? '';
  if (pattern.length === 1) return text === first;
  const last = pattern[pattern.length - 1] ?? '';
  const endMax = text.length - last.length;
  if (endMax < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (let run = 1; run < pattern.length - 1; run += 1) {
    const literal = pattern[run] ?? '';
    const found = text.indexOf(literal, at);
    if (found < 0 || found + literal.length > endMax) return false;
    at = found + literal.length;
  }
  return true;
}

/** Splits `upstream/tool` at its first slash; undefined where a half is missing, which matches nothing. */
export function parseCanonicalTool(text: string): CanonicalTool | undefined {
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1) return undefined;
  return { upstream: text.slice(0, slash), tool: text.slice(slash + 1) };
}

/** Compiles a canonical pattern; undefined where a half is missing, so that a broken scope permits nothing. */
export function compilePattern(text: string): CompiledPattern | undefined {
  const halves = parseCanonicalTool(text);
  return halves && { text, upstream: compileWildcard(halves.upstream), tool: compileWildcard(halves.tool) };
}

/** Whether a pattern covers a canonical tool; a star never reaches over the slash into the other half. */
export function patternMatches(pattern: CompiledPattern, tool: CanonicalTool): boolean {
  return wildcardMatches(pattern.upstream, tool.upstream) && wildcardMatches(pattern.tool, tool.tool);
}
