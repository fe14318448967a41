import { Agent, request } from 'undici';
import { quantile } from '../statistics.js';
import { type LeasesScene, NODES, VIRTUAL_SERVER } from './leases-scene.js';
import { until } from './process-cost.js';
import { personId } from './seed-connections.js';

/** Of the 99th percentile, milliseconds, of calls that come one after the other. */
const AIM_MS = 150;
const CROWD = 50;
const REVISION = '2026-07-28';
const PAGE = 500;

/** What a record says of its call. */
interface Recorded {
  readonly outcome: string;
  readonly phasesUs: Readonly<Record<string, number>>;
  readonly personal: { readonly principalId?: string } | null;
}

/**
 * Times the first call of people on each node, for which a lease is asked over Kafka: how long each waited stands in its
 * record. First one after the other, then a crowd at once.
 * @returns whether the 99th percentile of those one after the other is within the aim
 */
export async function benchCold(scene: LeasesScene, calls: number, say: (line: string) => void): Promise<boolean> {
  const people = Math.ceil(calls / NODES.length);
  const caller = new Caller(scene);
  try {
    const tokens = await tokensOf(scene, people + 2 * CROWD + 1);
    const [lister, ...holders] = tokens as [string, ...string[]];
    for (const node of NODES)
      await until(`${node} knows the tools`, async () => await caller.isServed(node, lister), 60_000);
    say('a call waits for its lease             calls   p50 ms   p99 ms   max ms');
    const cold: number[] = [];
    for (const node of NODES) {
      const sinceMs = Date.now();
      for (const token of holders.slice(0, people)) await caller.call(node, token);
      cold.push(...(await row(scene, `cold, ${node}`, sinceMs, people, say)));
    }
    const p99 = summed('cold', cold, say);
    for (const node of NODES) {
      const sinceMs = Date.now();
      const crowd = holders.slice(people, people + CROWD);
      await Promise.all(crowd.map((token) => caller.call(node, token)));
      await row(scene, `cold, ${CROWD} at once, ${node}`, sinceMs, CROWD, say);
    }
    const sinceMs = Date.now();
    for (const token of holders.slice(0, people)) await caller.call(NODES[0], token);
    await row(scene, `warm, ${NODES[0]}`, sinceMs, people, say);
    return p99 < AIM_MS;
  } finally {
    await caller.close();
  }
}

async function tokensOf({ admin }: LeasesScene, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const body = { principalId: personId(at), name: 'laptop', expiresInDays: 1 };
    tokens.push((await admin.ask<{ token: string }>('POST', '/identity/tokens', body)).token);
  }
  return tokens;
}

/** Reads how long each call of this time waited for its credential; every one of them must have been answered. */
async function row(
  { admin }: LeasesScene,
  what: string,
  sinceMs: number,
  count: number,
  say: (line: string) => void,
): Promise<number[]> {
  let found: Recorded[] = [];
  const query = new URLSearchParams({ virtualServer: VIRTUAL_SERVER, kind: 'call', from: String(sinceMs) });
  const isThere = async (): Promise<boolean> => {
    found = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = `${query.toString()}&limit=${PAGE}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const answer: { calls: Recorded[]; nextCursor: string | null } = await admin.ask('GET', `/audit/calls?${page}`);
      found.push(...answer.calls);
      cursor = answer.nextCursor;
    }
    return found.length >= count;
  };
  await until(`${count} records of "${what}"`, isThere, 60_000);
  const failed = found.filter(({ outcome }) => outcome !== 'success');
  if (failed.length > 0) throw new Error(`${what}: ${failed.length} of ${found.length} calls were not served`);
  const waited = found.map(({ phasesUs }) => (phasesUs['credential'] ?? 0) / 1_000);
  summed(what, waited, say);
  return waited;
}

function summed(what: string, of: readonly number[], say: (line: string) => void): number {
  const p99 = quantile(of, 0.99);
  const columns = [quantile(of, 0.5), p99, Math.max(...of)].map((ms) => ms.toFixed(1).padStart(8)).join(' ');
  say(`${what.padEnd(37)} ${String(of.length).padStart(6)} ${columns}`);
  return p99;
}

/** Calls a tool at a node, past the balancer. */
class Caller {
  private readonly dispatcher = new Agent({ connections: CROWD });

  constructor(private readonly scene: LeasesScene) {}

  async isServed(node: string, token: string): Promise<boolean> {
    await this.ask(node, token, 'tools/list', {});
    return (await this.call(node, token)).includes('"here"');
  }

  call(node: string, token: string): Promise<string> {
    return this.ask(node, token, 'tools/call', { name: 'known__echo', arguments: { text: 'here', nonce: 'bench' } });
  }

  async close(): Promise<void> {
    await this.dispatcher.close();
  }

  private async ask(node: string, token: string, method: string, params: { name?: string; arguments?: object }) {
    const { cluster } = this.scene;
    const meta = {
      'io.modelcontextprotocol/protocolVersion': REVISION,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    };
    const answer = await request(`http://${cluster.address(node, 8080)}/mcp/${VIRTUAL_SERVER}`, {
      method: 'POST',
      dispatcher: this.dispatcher,
      headers: {
        host: new URL(cluster.endpoint).host,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': REVISION,
        'mcp-method': method,
        ...(params.name === undefined ? {} : { 'mcp-name': params.name }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    });
    return answer.body.text();
  }
}
