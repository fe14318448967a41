import { type ToolDefinition } from '@warder/contracts';
import { paramHeaderList, parseJson, type ParamHeader, readParamHeaders } from '@warder/mcp-wire';
import type { UpstreamCall } from './upstream.js';

const NONE: readonly string[] = [];

/** Which arguments of which tools a modern upstream wants repeated in `Mcp-Param-*` headers, as last listed. */
export class MirroredParams {
  private byTool = new Map<string, readonly ParamHeader[]>();

  isLearned = false;

  /** Learns from a whole list; gives the tools that a client may use. */
  learn(tools: readonly ToolDefinition[]): ToolDefinition[] {
    const byTool = new Map<string, readonly ParamHeader[]>();
    const valid = tools.filter((tool) => {
      const headers = readParamHeaders(tool.inputSchema);
      if (headers !== undefined && headers.length > 0) byTool.set(tool.name, headers);
      return headers !== undefined;
    });
    this.byTool = byTool;
    this.isLearned = true;
    return valid;
  }

  /** Flat name-value list for one call; nearly always empty, and then nothing is parsed. */
  headersOf(call: UpstreamCall): readonly string[] {
    const headers = this.byTool.get(call.tool);
    if (headers === undefined) return NONE;
    return paramHeaderList(headers, call.argsText === undefined ? call.args : parseJson(call.argsText));
  }

  wants(tool: string): boolean {
    return this.byTool.has(tool);
  }
}
