import { createHash } from 'node:crypto';
import { type Caller, type CanonicalTool, type CompiledPolicy, type Decision, DecisionCache } from '@warder/access';
import type { ToolDefinition, UpstreamCatalogue } from '@warder/contracts';
import type { DefinitionPins } from './definition-pins.js';
import {
  buildExposure,
  type ExposedTool,
  type Exposure,
  isReadOnly,
  type NameCollision,
  type UpstreamOffer,
} from './exposure.js';

/** The filtered list of one caller. Callers who see the same tools get the same object: a ready answer can hang on it. */
export interface VisibleTools {
  /** By exposed name, in code-unit order. */
  readonly tools: readonly ToolDefinition[];
  /** Upstreams of the view that never loaded; where not empty the list is partial. */
  readonly missingUpstreams: readonly string[];
  /** No upstream of the view ever loaded, though it has some: an error, never a silent empty list. */
  readonly isUnavailable: boolean;
  /** SHA-256, hex, over names and definition hashes. */
  readonly hash: string;
}

/** Distinct lists remembered per virtual server. */
const LISTS_MAX = 1_000;

/**
 * The policy laid over what the upstreams offer. Built anew when either changes; of `previous`, tables whose
 * upstreams did not change are taken over, and decisions if the policy is the same.
 */
export class Catalog {
  private readonly exposures = new Map<string, Exposure>();
  private readonly lists = new Map<Exposure, Map<string, VisibleTools>>();
  private readonly decisions: DecisionCache;
  private readonly catalogues: ReadonlyMap<string, UpstreamCatalogue>;
  private readonly pins: DefinitionPins;

  constructor(
    readonly policy: CompiledPolicy,
    catalogues: ReadonlyMap<string, UpstreamCatalogue>,
    pins: DefinitionPins,
    previous?: Catalog,
  ) {
    this.catalogues = new Map(catalogues);
    this.pins = new Map(pins);
    const reusable = previous?.policy === policy ? previous : undefined;
    this.decisions = reusable?.decisions ?? new DecisionCache(policy);
    for (const [name, server] of policy.virtualServers) {
      const isSame = server.upstreams.every(
        (each) =>
          reusable?.catalogues.get(each) === catalogues.get(each) && reusable?.pins.get(each) === pins.get(each),
      );
      const kept = isSame ? reusable?.exposures.get(name) : undefined;
      const exposure = kept ?? buildExposure(server, (upstream) => this.offerOf(upstream));
      this.exposures.set(name, exposure);
      this.lists.set(exposure, (kept && reusable?.lists.get(kept)) ?? new Map());
    }
  }

  hasVirtualServer(virtualServer: string): boolean {
    return this.exposures.has(virtualServer);
  }

  /** The tool behind an exposed name, in one look-up; undefined where the virtual server exposes no such name. */
  resolveExposed(virtualServer: string, exposedName: string): ExposedTool | undefined {
    return this.exposures.get(virtualServer)?.byName.get(exposedName);
  }

  /** The tool that would be behind an exposed name, were its definition accepted. */
  hiddenTool(virtualServer: string, exposedName: string): ExposedTool | undefined {
    return this.exposures.get(virtualServer)?.hidden.get(exposedName);
  }

  /** Everything of a virtual server that is hidden, by exposed name. */
  hiddenTools(virtualServer: string): readonly ExposedTool[] {
    return [...(this.exposures.get(virtualServer)?.hidden.values() ?? [])];
  }

  /** Names under which a virtual server exposes a canonical tool; empty when it does not. */
  exposedNamesOf(virtualServer: string, canonical: string): readonly string[] {
    const tools = this.exposures.get(virtualServer)?.sorted ?? [];
    return tools.filter((tool) => tool.canonical === canonical).map((tool) => tool.exposedName);
  }

  /** Everything that a virtual server exposes, whoever asks: for administration, never for a client. */
  exposedTools(virtualServer: string): readonly ExposedTool[] {
    return this.exposures.get(virtualServer)?.sorted ?? [];
  }

  /** Whether the definition of a canonical tool says that it only reads; of a tool that is not there it does not. */
  isReadOnly({ upstream, tool }: CanonicalTool): boolean {
    const found = this.catalogues.get(upstream)?.tools.find(({ definition }) => definition.name === tool);
    return found !== undefined && isReadOnly(found.definition);
  }

  collisions(virtualServer: string): readonly NameCollision[] {
    return this.exposures.get(virtualServer)?.collisions ?? [];
  }

  missingUpstreams(virtualServer: string): readonly string[] {
    return this.exposures.get(virtualServer)?.missingUpstreams ?? [];
  }

  /** Whether the caller may call the tool; remembered per policy, principal and token version. */
  authorize(caller: Caller, tool: ExposedTool): Decision {
    return this.decisions.decide(caller, 'tools/call', tool.canonical, tool.isReadOnly);
  }

  /** The tools that the caller may call, so that what is listed is what can be called; undefined: no such server. */
  visibleTools(virtualServer: string, caller: Caller): VisibleTools | undefined {
    const exposure = this.exposures.get(virtualServer);
    if (!exposure) return undefined;
    const visible = exposure.sorted.filter((tool) => this.authorize(caller, tool).effect === 'permit');
    const hash = hashOf(visible);
    const lists = this.lists.get(exposure) ?? new Map<string, VisibleTools>();
    const known = lists.get(hash);
    if (known) return known;
    if (lists.size >= LISTS_MAX) lists.clear();
    const fresh = this.listOf(exposure, visible, hash);
    lists.set(hash, fresh);
    return fresh;
  }

  private offerOf(upstream: string): UpstreamOffer {
    const rule = this.policy.upstreams.get(upstream)?.definitions ?? 'hide-changes';
    return { catalogue: this.catalogues.get(upstream), pins: this.pins.get(upstream), rule };
  }

  private listOf(exposure: Exposure, visible: readonly ExposedTool[], hash: string): VisibleTools {
    const upstreams = this.policy.virtualServers.get(exposure.virtualServer)?.upstreams.length ?? 0;
    return {
      tools: visible.map((tool) => tool.definition),
      missingUpstreams: exposure.missingUpstreams,
      isUnavailable: upstreams > 0 && exposure.missingUpstreams.length === upstreams,
      hash,
    };
  }
}

function hashOf(tools: readonly ExposedTool[]): string {
  const hash = createHash('sha256');
  for (const tool of tools) hash.update(`${tool.exposedName}\n${tool.definitionHash}\n`);
  return hash.digest('hex');
}
