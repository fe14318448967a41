import type { PolicyDocument } from '@warder/contracts';
import {
  type FixtureOptions,
  type FixtureUpstream,
  startCluster,
  startFixtureUpstream,
  startStandalone,
  type StartedCluster,
  type StartedWarder,
} from '@warder/testing';
import { AdminDoor, type Member } from './admin-door.js';
import { expectLedgersHold } from './ledger-rule.js';
import type { Shape } from './shapes.js';
import { eventually, WireAgent } from './wire-agent.js';

export const VIRTUAL_SERVER = 'known';
const UPSTREAM = 'known';
const GROUP = 'knowers';
const INGRESS = ['ingress-1', 'ingress-2'] as const;
const PORT = 8080;

export interface SceneOptions {
  /** Variables of services, by their names; in standalone those of `standalone`. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly fixture?: FixtureOptions;
  /** File of `--config`, in standalone. */
  readonly configFile?: string;
  /** Kept at `stop`; a temporary one that goes, where not given. */
  readonly dataDir?: string;
}

/** A started Warder in front of one fixture whose every act is known, with ways to each of its ingress nodes. */
export class FixtureScene<W extends StartedWarder = StartedWarder> {
  private members = 0;

  private constructor(
    readonly warder: W,
    readonly fixture: FixtureUpstream,
    readonly admin: AdminDoor,
  ) {}

  static async cluster(options: SceneOptions = {}): Promise<FixtureScene<StartedCluster>> {
    const { environment, dataDir } = options;
    const fixture = await startFixtureUpstream(options.fixture);
    const given = { ...(environment && { environment }), ...(dataDir !== undefined && { dataDir }) };
    return FixtureScene.of(await startCluster(given), fixture);
  }

  static async inShape(shape: Shape, options: SceneOptions = {}): Promise<FixtureScene> {
    if (shape === 'cluster') return FixtureScene.cluster(options);
    const fixture = await startFixtureUpstream(options.fixture);
    const { configFile, dataDir } = options;
    const environment = options.environment?.['standalone'];
    const given = {
      ...(configFile !== undefined && { configFile }),
      ...(dataDir !== undefined && { dataDir }),
      ...(environment && { environment }),
    };
    return FixtureScene.of(await startStandalone(given), fixture);
  }

  /** Names of the processes that take calls. */
  get nodes(): readonly string[] {
    return this.isCluster() ? INGRESS : ['standalone'];
  }

  /** A new person of the group that may call everything. */
  member(): Promise<Member> {
    this.members += 1;
    return this.admin.member({ name: `Person ${this.members}`, groups: [GROUP] });
  }

  /** An agent that talks to one node, past the balancer; without a name it comes through the door. */
  agent(token: string, node?: string, virtualServer = VIRTUAL_SERVER, upstream = UPSTREAM): WireAgent {
    const door = new URL(this.warder.endpoint);
    const place = node !== undefined && this.isCluster() ? this.warder.address(node, PORT) : door.host;
    return new WireAgent({
      url: `http://${place}/mcp/${virtualServer}`,
      upstream,
      host: door.host,
      token,
      node: node ?? 'door',
    });
  }

  agents(token: string): WireAgent[] {
    return this.nodes.map((node) => this.agent(token, node));
  }

  /** The text of a node's `/readyz`. */
  async readyz(node: string): Promise<{ status: number; text: string }> {
    const base = this.isCluster() ? `http://${this.warder.address(node, PORT)}` : new URL(this.warder.endpoint).origin;
    const answer = await fetch(`${base}/readyz`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Each executed call has one record, each success one entry. */
  ledgerHolds(timeoutMs = 30_000): Promise<void> {
    return expectLedgersHold(this.admin, [{ upstream: UPSTREAM, ledger: () => this.fixture.executed() }], timeoutMs);
  }

  async stop(): Promise<void> {
    await this.warder.stop();
    await this.fixture.close();
  }

  private isCluster(): this is FixtureScene<StartedCluster> {
    return 'address' in this.warder;
  }

  private static async of<W extends StartedWarder>(warder: W, fixture: FixtureUpstream): Promise<FixtureScene<W>> {
    const scene = new FixtureScene(warder, fixture, new AdminDoor(warder));
    await scene.admin.changePolicy((document) => withFixture(document, fixture.url));
    const { token } = await scene.member();
    for (const agent of scene.agents(token)) {
      await eventually(`the tools at ${agent.node}`, async () =>
        (await agent.ask('tools/list')).text.includes('known__echo'),
      );
    }
    return scene;
  }
}

function withFixture(document: PolicyDocument, url: string): PolicyDocument {
  return {
    ...document,
    upstreams: {
      ...document.upstreams,
      [UPSTREAM]: {
        transport: { kind: 'streamable-http', url },
        timeoutMs: 120_000,
        allowPrivateAddress: true,
        definitions: 'hide-changes',
      },
    },
    virtualServers: {
      ...document.virtualServers,
      [VIRTUAL_SERVER]: { ...document.virtualServers['dev']!, tools: [{ upstream: UPSTREAM, tool: '*' }] },
    },
    grants: [
      ...document.grants,
      { name: 'knowers-know', effect: 'permit', to: { group: GROUP }, tools: [`${UPSTREAM}/*`] },
    ],
    limit: { callsPerMinute: 10_000_000, burst: 1_000_000 },
  };
}
