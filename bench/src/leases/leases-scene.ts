import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FixtureUpstream, startCluster, startFixtureUpstream, type StartedCluster } from '@warder/testing';
import { Client } from 'pg';
import { ClusterAdmin } from '../cluster-admin.js';
import { clusterSecrets, PROVIDER, seedConnections, seedPeople } from './seed-connections.js';
import { TokenEndpoint } from './token-endpoint.js';

export const VIRTUAL_SERVER = 'bench';
const GROUP = 'benchers';
export const NODES = ['ingress-1', 'ingress-2'] as const;

type Policy = Record<'upstreams' | 'virtualServers', Record<string, object>> & { grants: object[] };

/** The cluster with an upstream that is called with people's own accounts, and with very many of them. */
export class LeasesScene {
  private constructor(
    readonly cluster: StartedCluster,
    readonly admin: ClusterAdmin,
    readonly client: Client,
    readonly provider: TokenEndpoint,
    private readonly upstream: FixtureUpstream,
  ) {}

  static async start(): Promise<LeasesScene> {
    const provider = await TokenEndpoint.start();
    const upstream = await startFixtureUpstream();
    const environment = { credentials: { WARDER_CONNECTIONS__PRIVATE_HOSTS: provider.host } };
    const cluster = await startCluster({ environment });
    const connectionString = readFileSync(join(cluster.volume('secrets-credentials'), 'database-url'), 'utf8');
    const client = new Client({
      connectionString: connectionString.replace('postgres:5432', cluster.address('postgres', 5432)),
    });
    await client.connect();
    const scene = new LeasesScene(cluster, new ClusterAdmin(cluster), client, provider, upstream);
    await scene.setUp();
    return scene;
  }

  /**
   * Adds people with a connection each, as if they had come by the door: credentials and identity are stopped meanwhile,
   * and say all of it when they start.
   */
  async add(people: number): Promise<void> {
    const like = { name: 'Bench Person', email: 'person@example.com', groups: [GROUP] };
    const { id } = await this.admin.ask<{ id: string }>('POST', '/identity/principals', like);
    const [identity, credentials] = [this.cluster.service('identity'), this.cluster.service('credentials')];
    await Promise.all([identity.stop(), credentials.stop()]);
    await seedPeople(this.client, id, people);
    const sealing = await clusterSecrets(this.cluster);
    await seedConnections(this.client, sealing, people);
    await sealing.close();
  }

  async stop(): Promise<void> {
    await this.client.end();
    await this.admin.close();
    await this.cluster.stop();
    await this.upstream.close();
    await this.provider.stop();
  }

  private async setUp(): Promise<void> {
    const parameters = {
      authorization_endpoint: `http://${this.provider.host}/authorize`,
      token_endpoint: `http://${this.provider.host}/token`,
    };
    const client = { entry: 'internal-oauth', clientId: 'warder', clientSecret: 'a-secret-of-the-bench', parameters };
    await this.admin.ask('PUT', `/credentials/providers/${PROVIDER}`, client);
    await this.admin.ask('PUT', '/credentials/upstreams/known', { kind: 'oauth_user', provider: PROVIDER });
    const { document, version } = await this.admin.ask<{ document: Policy; version: number }>('GET', '/policy');
    const upstream = { transport: { kind: 'streamable-http', url: this.upstream.url }, timeoutMs: 60_000 };
    const changed = {
      ...document,
      upstreams: { ...document.upstreams, known: { ...upstream, allowPrivateAddress: true } },
      virtualServers: {
        ...document.virtualServers,
        [VIRTUAL_SERVER]: { ...document.virtualServers['dev'], tools: [{ upstream: 'known', tool: '*' }] },
      },
      grants: [...document.grants, { name: 'bench', effect: 'permit', to: { group: GROUP }, tools: ['known/*'] }],
      limit: { callsPerMinute: 10_000_000, burst: 1_000_000 },
    };
    await this.admin.ask('PUT', '/policy?wait=20000', changed, version);
  }
}
