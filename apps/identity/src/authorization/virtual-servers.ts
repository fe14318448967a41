import { type CompiledPolicy, compilePolicy } from '@warder/access';
import type { Bus, Replica } from '@warder/bus';
import { Catalog, UpstreamPins } from '@warder/catalog';
import {
  type PolicySnapshot,
  policySnapshotTopic,
  type PrincipalState,
  toolDefinitionDiscoveredTopic,
  toolDefinitionVerdictTopic,
  type UpstreamCatalogue,
} from '@warder/contracts';

/** What anybody is told of a virtual server who may ask for leave to use it: of its tools no more than how many. */
export interface ServerDescription {
  readonly name: string;
  readonly description: string;
  readonly toolCount: number;
}

/** A tool, as a person is told of it. */
export interface ToolDescription {
  readonly name: string;
  readonly what: string;
}

/** Which virtual servers there are and what they offer, as policy and nodes say on the bus. */
export class VirtualServers {
  private readonly catalogues = new Map<string, UpstreamCatalogue>();
  private readonly pins = new Map<string, UpstreamPins>();
  private readonly replicas: Replica[] = [];
  private isStopped = false;
  private snapshot: PolicySnapshot | undefined;
  private policy: CompiledPolicy | undefined;
  private catalog: Catalog | undefined;

  constructor(private readonly bus: Bus) {}

  /** Begins to read; does not wait for the bus, which may be away. */
  start(onError: (error: unknown) => void): void {
    const { bus } = this;
    const topics = [policySnapshotTopic, toolDefinitionDiscoveredTopic, toolDefinitionVerdictTopic];
    const reading = bus.ensureTopics(topics).then(() => [
      bus.replica(policySnapshotTopic, (_, snapshot) => {
        this.snapshot = snapshot;
        this.policy = undefined;
        this.catalog = undefined;
      }),
      bus.replica(toolDefinitionDiscoveredTopic, (upstream, catalogue) => {
        this.catalogues.set(upstream, catalogue);
        this.catalog = undefined;
      }),
      bus.replica(toolDefinitionVerdictTopic, (upstream, verdicts) => {
        this.pins.set(upstream, new UpstreamPins(verdicts));
        this.catalog = undefined;
      }),
    ]);
    reading.then((replicas) => {
      for (const replica of replicas) replica.then((started) => this.keep(started), onError);
    }, onError);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.replicas.map((replica) => replica.stop()));
  }

  /** Names that the policy gives, in its order; what is built in is there beside them. */
  names(): readonly string[] {
    return Object.keys(this.snapshot?.document.virtualServers ?? {});
  }

  /** Undefined where there is no such server, be it of the policy or built in. */
  describe(name: string): ServerDescription | undefined {
    const { policy, catalog } = this.compiled() ?? {};
    const server = policy?.virtualServers.get(name);
    if (server === undefined || catalog === undefined) return undefined;
    return { name, description: server.settings.description, toolCount: catalog.exposedTools(name).length };
  }

  /** The tools of a virtual server that the principal may call, in the order of their names. */
  grantedTools(name: string, principal: PrincipalState): readonly ToolDescription[] {
    const { catalog } = this.compiled() ?? {};
    if (catalog === undefined) return [];
    const caller = { principal, token: null };
    return catalog
      .exposedTools(name)
      .filter((tool) => catalog.authorize(caller, tool).effect === 'permit')
      .map(({ exposedName, definition }) => ({ name: exposedName, what: whatOf(definition) }));
  }

  private compiled(): { readonly policy: CompiledPolicy; readonly catalog: Catalog } | undefined {
    if (this.snapshot === undefined) return undefined;
    const { document, version } = this.snapshot;
    this.policy ??= compilePolicy(document, version);
    this.catalog ??= new Catalog(this.policy, this.catalogues, this.pins);
    return { policy: this.policy, catalog: this.catalog };
  }

  private keep(started: Replica): void {
    if (this.isStopped) void started.stop();
    else this.replicas.push(started);
  }
}

/** A title or the first sentence of a description: what an upstream says of its tool, cut short. */
function whatOf(definition: object): string {
  const { title, description } = definition as { title?: unknown; description?: unknown };
  const text = typeof title === 'string' && title !== '' ? title : typeof description === 'string' ? description : '';
  const [sentence = ''] = text.split(/(?<=[.!?])\s|\n/, 1);
  return sentence.length > 160 ? `${sentence.slice(0, 159)}…` : sentence;
}
