import { decide, type FlowDecision, type FlowSource, has, observe } from '@warder/flow';
import type { Permitted } from '../pipeline/call.js';
import type { Flow, FlowOfTool } from '../pipeline/gateway.js';
import type { RunSharing } from './run-sharing.js';
import type { FoundRun, RunStore } from './run-store.js';

/** The flow policy over this node's runs, which the other nodes hear of. */
export class NodeFlow implements Flow {
  constructor(
    private readonly key: string,
    private readonly store: RunStore,
    private readonly sharing: Pick<RunSharing, 'tell'>,
  ) {}

  find(call: Permitted, { settings }: FlowOfTool, nowMs: number): FoundRun {
    const base = `${call.principal.id}\0${call.token.id}\0${call.virtualServer}`;
    return this.store.find(base, hintOf(call, settings.runMeta), settings.windowMs, nowMs);
  }

  decide(found: FoundRun, { bits, settings }: FlowOfTool, args: unknown): FlowDecision {
    const { preset, mode, allow } = settings;
    return decide(found.run, { bits, args }, { preset, mode, allow, key: this.key });
  }

  observe(found: FoundRun, source: FlowSource, { settings, hasSinks }: FlowOfTool, answer: unknown): void {
    const brought = { isNews: false, values: new Set<string>(), isUnknown: false };
    for (const kept of found.all) {
      // Where nothing is labelled as a sink nothing can be held, so values are not looked for; should a label come
      // later, what was not looked at counts as unknown.
      const { run } = kept;
      const wasUnknown = run.isUnknown;
      const seen = observe(run, source, hasSinks ? answer : undefined, this.key);
      if (!hasSinks && has(source.bits, 'untrusted') && !has(source.bits, 'sanitiser')) run.isUnknown = true;
      brought.isNews ||= seen.bits !== 0 || run.isUnknown !== wasUnknown;
      if (found.all.length === 1) kept.isMixed ||= seen.bits !== 0;
      brought.isUnknown ||= kept.run.isUnknown;
      for (const value of seen.values) brought.values.add(value);
    }
    if (!brought.isNews) return;
    const { callId, tool, bits } = source;
    this.sharing.tell({
      runs: found.all.map(({ name }) => name),
      callId,
      tool,
      bits,
      values: [...brought.values],
      isUnknown: brought.isUnknown,
      windowMs: settings.windowMs,
    });
  }
}

/** What the client calls its run: the operator's member of `_meta`, or its legacy session. */
function hintOf(call: Permitted, runMeta: string | undefined): string | undefined {
  const named = runMeta === undefined ? undefined : call.meta[runMeta];
  if (typeof named === 'string' && named !== '') return `meta:${named.slice(0, 256)}`;
  return call.sessionId === undefined ? undefined : `session:${call.sessionId}`;
}
