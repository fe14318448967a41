import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';

/** Where such a client goes: to the address of a node, under the door's name. */
export interface NodeTarget {
  readonly url: string;
  /** `Host` of the door. */
  readonly host: string;
  readonly token: string;
}

/** A client that other people wrote and that listens: how often it heard, and what it is listed. */
export interface HearingClient {
  readonly name: string;
  heard(): number;
  list(): Promise<string[]>;
  close(): Promise<void>;
}

/** Opens one of each: SDK v1, and v2 in both eras. */
export function openHearingClients(target: NodeTarget): Promise<HearingClient[]> {
  return Promise.all([openV1(target), openV2(target, 'legacy'), openV2(target, { pin: '2026-07-28' })]);
}

/** Names the door and connects to the node: a client of these writes `Host` itself. */
function wayTo({ url, host, token }: NodeTarget) {
  const { hostname, port, pathname } = new URL(url);
  const connect = buildConnector({});
  const dispatcher = new Agent({
    connect: (options, done) => connect({ ...options, hostname, host: hostname, port }, done),
  });
  const fetch = ((address: string | URL, init: RequestInit) =>
    undiciFetch(address, { ...init, dispatcher } as never)) as unknown as typeof globalThis.fetch;
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  return {
    door: new URL(`http://${host}${pathname}`),
    options: { requestInit, fetch },
    hangUp: () => dispatcher.destroy(),
  };
}

async function openV1(target: NodeTarget): Promise<HearingClient> {
  const client = new ClientV1({ name: 'warder-story', version: '1.0.0' });
  let heard = 0;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void (heard += 1));
  const { door, options, hangUp } = wayTo(target);
  // Its own types disagree under exactOptionalPropertyTypes: `sessionId` may be undefined.
  await client.connect(new TransportV1(door, options) as Transport);
  return {
    name: 'SDK v1',
    heard: () => heard,
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    close: async () => {
      await client.close();
      await hangUp();
    },
  };
}

async function openV2(target: NodeTarget, mode: 'legacy' | { pin: string }): Promise<HearingClient> {
  let heard = 0;
  const listChanged = { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => void (heard += 1) } };
  const client = new ClientV2(
    { name: 'warder-story', version: '2.0.0' },
    { versionNegotiation: { mode }, listChanged },
  );
  const { door, options, hangUp } = wayTo(target);
  await client.connect(new TransportV2(door, options));
  return {
    name: mode === 'legacy' ? 'SDK v2, legacy' : 'SDK v2, 2026-07-28',
    heard: () => heard,
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    close: async () => {
      await client.close();
      await hangUp();
    },
  };
}
