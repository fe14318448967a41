import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type ClientKind, type ClientTarget, type RealClient, toolTextOf } from './real-client.js';

/** `@modelcontextprotocol/sdk`, the first generation of the TypeScript SDK: legacy era. */
export const sdkV1: ClientKind = {
  name: 'SDK v1',
  era: 'legacy',
  open: (target) => overTransport(httpTransport(target)),
};

/** The SDK's client over any transport of its own. */
export async function overTransport(transport: Transport): Promise<RealClient> {
  const client = new Client({ name: 'warder-story', version: '1.0.0' });
  await client.connect(transport);
  return {
    list: async () => (await client.listTools()).tools.map(({ name }) => name).toSorted(),
    call: async (name, args) => toolTextOf(await client.callTool({ name, arguments: args })),
    close: () => client.close(),
  };
}

function httpTransport({ endpoint, token }: ClientTarget): Transport {
  const headers = { authorization: `Bearer ${token}` };
  // Its own types disagree under exactOptionalPropertyTypes: `sessionId` may be undefined.
  return new StreamableHTTPClientTransport(new URL(endpoint), { requestInit: { headers } }) as Transport;
}
