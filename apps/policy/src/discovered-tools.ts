import { type CompiledPolicy, compilePolicy } from '@warder/access';
import { Catalog, UpstreamPins } from '@warder/catalog';
import type { DefinitionVerdicts, UpstreamCatalogue } from '@warder/contracts';
import type { StoredPolicy } from './policy.store.js';

/** The catalogues that ingress published, and the policy laid over them: what ingress builds, built here for explain. */
export class DiscoveredTools {
  private readonly catalogues = new Map<string, UpstreamCatalogue>();
  private readonly pins = new Map<string, UpstreamPins>();
  private compiled: CompiledPolicy | undefined;
  private catalog: Catalog | undefined;

  /** Takes in a message of the discovery topic. */
  apply(upstream: string, catalogue: UpstreamCatalogue): void {
    this.catalogues.set(upstream, catalogue);
    this.catalog = undefined;
  }

  /** Takes in a message of the verdict topic. */
  applyVerdicts(upstream: string, verdicts: DefinitionVerdicts): void {
    this.pins.set(upstream, new UpstreamPins(verdicts));
    this.catalog = undefined;
  }

  byUpstream(): ReadonlyMap<string, UpstreamCatalogue> {
    return this.catalogues;
  }

  /** The catalogue's tools under a version's names; made once per version and discovery. */
  under(stored: StoredPolicy): { policy: CompiledPolicy; catalog: Catalog } {
    if (this.compiled?.version !== stored.version) {
      this.compiled = compilePolicy(stored.document, stored.version);
      this.catalog = undefined;
    }
    this.catalog ??= new Catalog(this.compiled, this.catalogues, this.pins);
    return { policy: this.compiled, catalog: this.catalog };
  }
}
