import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { type ClientKind, toolTextOf } from './real-client.js';

/** `@modelcontextprotocol/client`, the second generation: both eras. */
export const sdkV2Modern = kindOf('SDK v2, 2026-07-28', 'modern', { pin: '2026-07-28' });
export const sdkV2Auto = kindOf('SDK v2, negotiating', 'modern', 'auto');
export const sdkV2Legacy = kindOf('SDK v2, legacy', 'legacy', 'legacy');

function kindOf(name: string, era: ClientKind['era'], mode: VersionNegotiationMode): ClientKind {
  return {
    name,
    era,
    open: async ({ endpoint, token }) => {
      const client = new Client({ name: 'warder-story', version: '2.0.0' }, { versionNegotiation: { mode } });
      const headers = { authorization: `Bearer ${token}` };
      await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), { requestInit: { headers } }));
      return {
        list: async () => (await client.listTools()).tools.map((tool) => tool.name).toSorted(),
        call: async (tool, args) => toolTextOf(await client.callTool({ name: tool, arguments: args })),
        close: () => client.close(),
      };
    },
  };
}
