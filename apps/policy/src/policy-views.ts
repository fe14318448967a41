import type { Catalog } from '@warder/catalog';
import type { PolicyDocument, UpstreamCatalogue } from '@warder/contracts';

/** The upstreams of a policy with what was discovered of each; `catalogue` is null for one that never loaded. */
export function upstreamsView(document: PolicyDocument, catalogues: ReadonlyMap<string, UpstreamCatalogue>) {
  return Object.entries(document.upstreams).map(([name, upstream]) => ({
    name,
    ...upstream,
    prefix: upstream.prefix ?? name,
    virtualServers: Object.entries(document.virtualServers)
      .filter(([, server]) => server.tools.some((line) => line.upstream === name))
      .map(([server]) => server),
    catalogue: catalogueView(catalogues.get(name)),
  }));
}

/** The virtual servers with the tools that each exposes now, and the names that could not be given. */
export function virtualServersView(document: PolicyDocument, catalog: Catalog) {
  return Object.entries(document.virtualServers).map(([name, server]) => ({
    name,
    description: server.description,
    guardrails: server.guardrails,
    tools: catalog
      .exposedTools(name)
      .map(({ exposedName, canonical, definitionHash }) => ({ exposedName, tool: canonical, definitionHash })),
    missingUpstreams: catalog.missingUpstreams(name),
    collisions: catalog.collisions(name),
  }));
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
