import { BUILT_INS, type CompiledPolicy } from '@warder/access';
import type { Catalog, ExposedTool } from '@warder/catalog';
import type { UpstreamCatalogue } from '@warder/contracts';

/** The upstreams of a policy with what was discovered of each; `catalogue` is null for one that never loaded. */
export function upstreamsView(policy: CompiledPolicy, catalogues: ReadonlyMap<string, UpstreamCatalogue>) {
  return [...policy.upstreams].map(([name, upstream]) => ({
    name,
    isBuiltIn: BUILT_INS.has(name),
    ...upstream,
    prefix: upstream.prefix ?? name,
    virtualServers: [...policy.virtualServers.values()]
      .filter(({ upstreams }) => upstreams.includes(name))
      .map((server) => server.name),
    catalogue: catalogueView(catalogues.get(name)),
  }));
}

/** The virtual servers with the tools that each exposes now, those that it hides, and the names that could not be given. */
export function virtualServersView(policy: CompiledPolicy, catalog: Catalog) {
  return [...policy.virtualServers].map(([name, { settings }]) => ({
    name,
    isBuiltIn: BUILT_INS.has(name),
    description: settings.description,
    guardrails: settings.guardrails,
    tools: catalog.exposedTools(name).map(toolView),
    hidden: catalog.hiddenTools(name).map(toolView),
    missingUpstreams: catalog.missingUpstreams(name),
    collisions: catalog.collisions(name),
  }));
}

function toolView({ exposedName, canonical, definitionHash, standing }: ExposedTool) {
  return { exposedName, tool: canonical, definitionHash, standing };
}

function catalogueView(catalogue: UpstreamCatalogue | undefined) {
  if (catalogue?.status !== 'active') return null;
  return {
    hash: catalogue.hash,
    node: catalogue.node,
    // The version of a catalogue is the time of its listing.
    listedAtMs: catalogue.version,
    tools: catalogue.tools.map(({ hash, definition }) => ({
      name: definition.name,
      description: definition.description ?? null,
      definitionHash: hash,
    })),
  };
}
