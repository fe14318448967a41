import type { UpstreamFlow } from '@warder/contracts';
import { bitsOf, LABEL_BIT } from './labels.js';

/** A tool's definition as far as it says what the tool does; hints of a stranger otherwise (MCP 2026-07-28 schema). */
export interface Annotated {
  readonly name: string;
  readonly annotations?: unknown;
}

/** Labels under which a call does something that the flow policy may hold. */
export const SINKS = LABEL_BIT.external | LABEL_BIT.destructive | LABEL_BIT.write;

/**
 * Labels of a tool, as bits: what the operator says of the tool, else of its upstream, else what annotations say where
 * the operator trusts them, else `untrusted`.
 */
export function labelsOf(flow: UpstreamFlow | undefined, definition: Annotated): number {
  const { name } = definition;
  // A map's own member only, for a tool may be named `constructor`.
  const named = flow !== undefined && Object.hasOwn(flow.tools, name) ? flow.tools[name] : undefined;
  const said = named ?? flow?.labels;
  if (said !== undefined) return bitsOf(said);
  return flow?.isTrusted === true ? annotatedBits(definition.annotations) : LABEL_BIT.untrusted;
}

/** Absent hints have the worse of their meanings for what comes in, and none for what a call does. */
function annotatedBits(annotations: unknown): number {
  const hints = (typeof annotations === 'object' && annotations !== null ? annotations : {}) as Record<string, unknown>;
  let bits = hints['openWorldHint'] === false ? 0 : LABEL_BIT.untrusted;
  if (hints['readOnlyHint'] === true) return bits;
  if (hints['readOnlyHint'] === false) bits |= LABEL_BIT.write;
  if (hints['destructiveHint'] === true) bits |= LABEL_BIT.destructive;
  return bits;
}
