import type { CompiledSelection, CompiledVirtualServer } from '@warder/access';
import { wildcardMatches } from '@warder/access';
import type { DefinitionRule, ToolDefinition, UpstreamCatalogue } from '@warder/contracts';
import { type DefinitionStanding, isShown, standingOf, type UpstreamPins } from './definition-pins.js';
import { exposedNameOf, withHash } from './exposed-name.js';

/** One tool as a virtual server shows it. */
export interface ExposedTool {
  readonly exposedName: string;
  readonly upstream: string;
  /** The upstream's own name of it. */
  readonly tool: string;
  /** `upstream/tool`, on which access is decided; one string per tool, so that a look-up by it hashes nothing anew. */
  readonly canonical: string;
  readonly definitionHash: string;
  readonly standing: DefinitionStanding;
  /** Whether the definition says so; see `isReadOnly`. */
  readonly isReadOnly: boolean;
  /** As the upstream gave it, under the exposed name. */
  readonly definition: ToolDefinition;
}

/** A tool that did not get the name it was to have: `name` is the one it has instead, `null` when it is dropped. */
export interface NameCollision {
  readonly canonical: string;
  readonly wanted: string;
  readonly takenBy: string;
  readonly name: string | null;
}

/** What a virtual server exposes of the catalogues as they were; never changed afterwards. */
export interface Exposure {
  readonly virtualServer: string;
  readonly byName: ReadonlyMap<string, ExposedTool>;
  /** Tools that keep their names and are not there, for their definitions were not accepted. */
  readonly hidden: ReadonlyMap<string, ExposedTool>;
  /** By exposed name, in code-unit order. */
  readonly sorted: readonly ExposedTool[];
  readonly collisions: readonly NameCollision[];
  /** Upstreams of the view that never loaded: the list is partial as long as there is one. */
  readonly missingUpstreams: readonly string[];
}

/** What an upstream offers, and what is known and wanted of its definitions. */
export interface UpstreamOffer {
  readonly catalogue: UpstreamCatalogue | undefined;
  readonly pins: UpstreamPins | undefined;
  readonly rule: DefinitionRule;
}

interface Candidate {
  readonly upstream: string;
  readonly tool: string;
  readonly hash: string;
  readonly standing: DefinitionStanding;
  readonly isShown: boolean;
  readonly definition: ToolDefinition;
  readonly wanted: string;
  readonly isRenamed: boolean;
}

/**
 * Works out the names of a virtual server. Names that an operator wrote (`as`) are given out first, so that no
 * upstream can take one by naming a tool like it; then lines in the order of the document, tools by name. Who comes
 * later to a name gets a hash suffix, or is dropped if even that is taken. A hidden tool keeps its name, so that no
 * other can step into its place.
 */
export function buildExposure(server: CompiledVirtualServer, offerOf: (upstream: string) => UpstreamOffer): Exposure {
  const loaded = server.upstreams.filter((upstream) => offerOf(upstream).catalogue?.status === 'active');
  const candidates = loaded.flatMap((upstream) => candidatesOf(upstream, server.selections, offerOf(upstream)));
  const order = new Map(server.selections.map((selection, at) => [selection, at]));
  candidates.sort((left, right) => rank(left, order) - rank(right, order) || compareText(left.tool, right.tool));
  const byName = new Map<string, ExposedTool>();
  const hidden = new Map<string, ExposedTool>();
  const collisions: NameCollision[] = [];
  for (const candidate of candidates) place(candidate, { byName, hidden, collisions });
  const sorted = [...byName.values()].sort((left, right) => compareText(left.exposedName, right.exposedName));
  const missingUpstreams = server.upstreams.filter((upstream) => !loaded.includes(upstream));
  return { virtualServer: server.name, byName, hidden, sorted, collisions, missingUpstreams };
}

type Chosen = Candidate & { readonly selection: CompiledSelection };

function rank(candidate: Chosen, order: ReadonlyMap<CompiledSelection, number>): number {
  const at = order.get(candidate.selection) ?? 0;
  return candidate.isRenamed ? at - order.size : at;
}

function candidatesOf(
  upstream: string,
  selections: readonly CompiledSelection[],
  { catalogue, pins, rule }: UpstreamOffer,
): Chosen[] {
  const lines = selections.filter((selection) => selection.upstream === upstream);
  const seen = new Set<string>();
  return (catalogue?.tools ?? []).flatMap(({ hash, definition }) => {
    const tool = definition.name;
    // An upstream that lists a name twice is served by its first definition.
    if (seen.has(tool)) return [];
    seen.add(tool);
    const standing = standingOf(pins, tool, hash, rule);
    const known = { upstream, tool, hash, standing, isShown: isShown(standing, rule), definition };
    return linesFor(tool, lines).map((selection) => {
      const wanted = selection.as ?? exposedNameOf(`${upstream}/${tool}`, tool, selection.prefix);
      return { ...known, wanted, isRenamed: selection.as !== undefined, selection };
    });
  });
}

/** Renamed lines each give a name; without one the line that names the tool outranks a pattern, the first wins. */
function linesFor(tool: string, lines: readonly CompiledSelection[]): readonly CompiledSelection[] {
  const matching = lines.filter((line) => wildcardMatches(line.tool, tool));
  const renamed = matching.filter((line) => line.as !== undefined && !line.isPattern);
  if (renamed.length > 0) return renamed;
  const line = matching.find((each) => !each.isPattern) ?? matching.find((each) => each.as === undefined);
  return line ? [line] : [];
}

interface Placed {
  readonly byName: Map<string, ExposedTool>;
  readonly hidden: Map<string, ExposedTool>;
  readonly collisions: NameCollision[];
}

function place(candidate: Candidate, placed: Placed): void {
  const { byName, hidden, collisions } = placed;
  const canonical = `${candidate.upstream}/${candidate.tool}`;
  const takenBy = (byName.get(candidate.wanted) ?? hidden.get(candidate.wanted))?.canonical;
  if (takenBy === undefined) return expose(candidate, candidate.wanted, canonical, placed);
  const other = withHash(candidate.wanted, canonical);
  // A name that an operator wrote stands as written or not at all.
  const name = candidate.isRenamed || byName.has(other) || hidden.has(other) ? null : other;
  collisions.push({ canonical, wanted: candidate.wanted, takenBy, name });
  if (name !== null) expose(candidate, name, canonical, placed);
}

function expose(candidate: Candidate, exposedName: string, canonical: string, { byName, hidden }: Placed): void {
  const { upstream, tool, hash, standing, definition } = candidate;
  (candidate.isShown ? byName : hidden).set(exposedName, {
    exposedName,
    upstream,
    tool,
    canonical,
    definitionHash: hash,
    standing,
    isReadOnly: isReadOnly(definition),
    definition: { ...definition, name: exposedName },
  });
}

/** Whether a definition says that its tool only reads: one that says nothing, or says it in another way, does not. */
export function isReadOnly({ annotations }: ToolDefinition): boolean {
  if (typeof annotations !== 'object' || annotations === null) return false;
  return 'readOnlyHint' in annotations && annotations.readOnlyHint === true;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
