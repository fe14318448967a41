import {
  approvalOf,
  captureLevelOf,
  compilePolicy,
  type CompiledPolicy,
  NO_PROVIDERS,
  providersOf,
  type ProviderUses,
  type ToolApproval,
} from '@warder/access';
import { flowOfUpstream, flowSettingsOf, labelsOf, SINKS } from '@warder/flow';
import { Catalog, type DefinitionPins, type ExposedTool, type VisibleTools } from '@warder/catalog';
import {
  type CallLimit,
  type CaptureLevel,
  type PolicySnapshot,
  type UpstreamCatalogue,
  type VirtualServer,
} from '@warder/contracts';
import type { Decision } from '@warder/access';
import type { IdentifiedOperation } from '../pipeline/call.js';
import type { FlowOfTool, PolicyView } from '../pipeline/gateway.js';

/** A policy over the catalogues of one moment, compiled once and never changed: nodes swap it whole. */
export class CompiledPolicyView implements PolicyView {
  private readonly captureLevels = new Map<string, WeakMap<ExposedTool, CaptureLevel>>();

  private readonly approvals = new Map<string, WeakMap<ExposedTool, ToolApproval>>();
  private readonly uses = new Map<string, WeakMap<ExposedTool, ProviderUses>>();
  private readonly upstreams = new Map<string, readonly string[]>();
  private readonly flows = new Map<string, Omit<FlowOfTool, 'bits'> & { ofTool: WeakMap<ExposedTool, FlowOfTool> }>();

  private constructor(
    readonly compiled: CompiledPolicy,
    private readonly catalog: Catalog,
    private readonly snapshot: PolicySnapshot,
  ) {}

  /** Compiles a snapshot; of `previous`, what did not change is taken over. */
  static of(
    snapshot: PolicySnapshot,
    catalogues: ReadonlyMap<string, UpstreamCatalogue>,
    pins: DefinitionPins,
    previous?: CompiledPolicyView,
  ): CompiledPolicyView {
    const isSame = previous?.snapshot === snapshot;
    const compiled = isSame ? previous.compiled : compilePolicy(snapshot.document, snapshot.version);
    return new CompiledPolicyView(compiled, new Catalog(compiled, catalogues, pins, previous?.catalog), snapshot);
  }

  get version(): number {
    return this.compiled.version;
  }

  get limit(): CallLimit {
    return this.compiled.limit;
  }

  hasVirtualServer(virtualServer: string): boolean {
    return this.catalog.hasVirtualServer(virtualServer);
  }

  resolve(virtualServer: string, exposedName: string): ExposedTool | undefined {
    return this.catalog.resolveExposed(virtualServer, exposedName);
  }

  hiddenTool(virtualServer: string, exposedName: string): ExposedTool | undefined {
    return this.catalog.hiddenTool(virtualServer, exposedName);
  }

  authorize(caller: IdentifiedOperation, target: ExposedTool): Decision {
    return this.catalog.authorize(caller, target);
  }

  visibleTools(virtualServer: string, caller: IdentifiedOperation): VisibleTools | undefined {
    return this.catalog.visibleTools(virtualServer, caller);
  }

  guardrails(virtualServer: string): VirtualServer['guardrails'] {
    const server = this.compiled.virtualServers.get(virtualServer);
    if (server === undefined) throw new Error('guardrails of a virtual server that is not in the policy');
    return server.settings.guardrails;
  }

  capture(virtualServer: string, target?: ExposedTool): CaptureLevel {
    const rules = this.compiled.virtualServers.get(virtualServer)?.capture;
    // Nothing is exposed where there is no such server, so there is nothing to keep back.
    if (rules === undefined) return 'full';
    if (target === undefined || rules.tools.length === 0) return rules.level;
    const known = this.captureLevels.get(virtualServer) ?? new WeakMap<ExposedTool, CaptureLevel>();
    this.captureLevels.set(virtualServer, known);
    const level = known.get(target) ?? captureLevelOf(rules, target);
    known.set(target, level);
    return level;
  }

  approval(virtualServer: string, target: ExposedTool): ToolApproval {
    let known = this.approvals.get(virtualServer);
    if (known === undefined) this.approvals.set(virtualServer, (known = new WeakMap()));
    let found = known.get(target);
    if (found === undefined) {
      const rules = this.compiled.virtualServers.get(virtualServer)?.approval;
      if (rules === undefined) throw new Error('approval of a virtual server that is not in the policy');
      known.set(target, (found = approvalOf(rules, target)));
    }
    return found;
  }

  providers(virtualServer: string, target: ExposedTool): ProviderUses {
    const rules = this.compiled.virtualServers.get(virtualServer)?.providers;
    if (rules === undefined || rules.length === 0) return NO_PROVIDERS;
    let known = this.uses.get(virtualServer);
    if (known === undefined) this.uses.set(virtualServer, (known = new WeakMap()));
    let found = known.get(target);
    if (found === undefined) known.set(target, (found = providersOf(rules, target)));
    return found;
  }

  /** Settings of the guardrail providers, by name. */
  get guardrailProviders(): NonNullable<PolicySnapshot['document']['guardrailProviders']> {
    return this.snapshot.document.guardrailProviders ?? {};
  }

  flow(virtualServer: string, target: ExposedTool): FlowOfTool {
    let known = this.flows.get(virtualServer);
    if (known === undefined) {
      const settings = flowSettingsOf(this.compiled.virtualServers.get(virtualServer)?.settings.flow);
      const tools = this.catalog.exposedTools(virtualServer);
      const hasSinks = tools.some((tool) => (this.flowBits(tool) & SINKS) !== 0);
      known = { settings, hasSinks, ofTool: new WeakMap() };
      // Only of servers that there are: a call asks for the flow of a tool that it found.
      this.flows.set(virtualServer, known);
    }
    const { settings, hasSinks, ofTool } = known;
    const found = ofTool.get(target) ?? { bits: this.flowBits(target), settings, hasSinks };
    ofTool.set(target, found);
    return found;
  }

  private flowBits({ upstream, tool, definition }: ExposedTool): number {
    return labelsOf(flowOfUpstream(this.compiled.upstreams.get(upstream)), { ...definition, name: tool });
  }

  /** Whether records of a virtual server must be on the disk before its calls go on. */
  isStrict(virtualServer: string): boolean {
    return this.compiled.virtualServers.get(virtualServer)?.settings.record.mode === 'strict';
  }

  upstreamsOf(virtualServer: string): readonly string[] {
    const known = this.upstreams.get(virtualServer);
    if (known !== undefined) return known;
    const tools = this.compiled.virtualServers.get(virtualServer)?.settings.tools ?? [];
    const upstreams = [...new Set(tools.map(({ upstream }) => upstream))];
    // A name that is no server's is not remembered: whoever asks could make up any number of them.
    if (tools.length > 0) this.upstreams.set(virtualServer, upstreams);
    return upstreams;
  }

  timeoutMs(upstream: string): number {
    const settings = this.compiled.upstreams.get(upstream);
    if (settings === undefined) throw new Error('time-out of an upstream that is not in the policy');
    return settings.timeoutMs;
  }
}
