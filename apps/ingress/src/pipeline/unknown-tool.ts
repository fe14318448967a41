import { Refusal } from './refusal.js';

/** The one answer for a tool that is not there and for one that the caller may not see. */
export function unknownTool(exposedName: string, detail: string, rule?: string): Refusal {
  return new Refusal('WDR_TOOL_UNKNOWN', `Unknown tool: ${exposedName}`, detail, rule === undefined ? {} : { rule });
}
