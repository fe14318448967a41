import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PolicyDocument, Upstream } from '@warder/contracts';
import {
  type FixtureUpstream,
  readLedger,
  startFixtureUpstream,
  type StartedCluster,
  type StartedWarder,
} from '@warder/testing';
import { AdminDoor, type Member } from './admin-door.js';
import type { ClientTarget } from './clients/real-client.js';
import { type Era, EraAgent } from './era-agent.js';
import { expectLedgersHold } from './ledger-rule.js';
import { type Shape, startShape } from './shapes.js';
import { eventually } from './wire-agent.js';

/** Names of the two fixtures, each of the era of its name. */
export const PAIR = ['modern', 'legacy'] as const;

const PORT = 8080;

/** A started Warder with its sample upstreams and two fixtures, one of each era, whose ledgers are files. */
export class PairScene {
  private constructor(
    readonly warder: StartedWarder,
    readonly admin: AdminDoor,
    readonly dir: string,
    private readonly fixtures: readonly FixtureUpstream[],
  ) {}

  /** @param change - adds virtual servers and grants; the upstreams `modern` and `legacy` are there already */
  static async start(shape: Shape, change: (document: PolicyDocument) => PolicyDocument): Promise<PairScene> {
    const dir = mkdtempSync(join(tmpdir(), 'warder-pair-'));
    const fixtures = await Promise.all(
      PAIR.map((era) => startFixtureUpstream({ era, ledgerFile: join(dir, `${era}.ledger`) })),
    );
    const warder = await startShape(shape);
    const scene = new PairScene(warder, new AdminDoor(warder), dir, fixtures);
    const upstreams = Object.fromEntries(PAIR.map((era, at) => [era, upstreamAt(fixtures[at]!.url)]));
    await scene.admin.changePolicy((document) =>
      change({ ...document, upstreams: { ...document.upstreams, ...upstreams } }),
    );
    return scene;
  }

  /** Host and port at which everybody arrives. */
  get door(): string {
    return new URL(this.warder.endpoint).host;
  }

  /** Addresses of what takes calls: the two nodes of a cluster, the one process of standalone. */
  get nodes(): readonly string[] {
    const { warder } = this;
    if (!('address' in warder)) return [this.door];
    return ['ingress-1', 'ingress-2'].map((node) => (warder as StartedCluster).address(node, PORT));
  }

  /** Where a real client goes: the door. */
  target(virtualServer: string, token: string): ClientTarget {
    const endpoint = new URL(`/mcp/${virtualServer}`, this.warder.endpoint).href;
    return { endpoint, token, homeDir: mkdtempSync(join(this.dir, 'home-')) };
  }

  /** An agent of an era at one node. */
  agent(virtualServer: string, { token }: Pick<Member, 'token'>, era: Era, node = this.nodes[0]!): Promise<EraAgent> {
    return EraAgent.open({ url: `http://${node}/mcp/${virtualServer}`, host: this.door, token, era });
  }

  /** Waits until every node lists the tools of every upstream of the virtual server. */
  async listedEverywhere(virtualServer: string, member: Pick<Member, 'token'>): Promise<void> {
    for (const node of this.nodes) {
      const agent = await this.agent(virtualServer, member, 'modern', node);
      await eventually(`the tools of ${virtualServer} at ${node}`, async () => {
        const { status, text } = await agent.list();
        return status === 200 && !text.includes('warder/partial');
      });
    }
  }

  /** Each executed call of the fixtures has one record, each success one entry. */
  ledgersHold(): Promise<void> {
    const ledgerOf = (era: string) => () => readLedger(join(this.dir, `${era}.ledger`));
    return expectLedgersHold(
      this.admin,
      PAIR.map((era) => ({ upstream: era, ledger: ledgerOf(era) })),
    );
  }

  /** What the fixture executed under a nonce. */
  executed(upstream: (typeof PAIR)[number], nonce: string): number {
    return readLedger(join(this.dir, `${upstream}.ledger`)).filter((entry) => entry.nonce === nonce).length;
  }

  async stop(): Promise<void> {
    await this.warder.stop();
    await Promise.all(this.fixtures.map((fixture) => fixture.close()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function upstreamAt(url: string): Upstream {
  return Upstream.parse({ transport: { kind: 'streamable-http', url }, allowPrivateAddress: true });
}
