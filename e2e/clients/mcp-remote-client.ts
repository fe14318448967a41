import { join } from 'node:path';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { checkoutRoot } from '@warder/testing';
import { type ClientKind, ownEnvironment } from './real-client.js';
import { overTransport } from './sdk-v1-client.js';

/** `mcp-remote`, behind which a client that speaks stdio only reaches the gateway: its own process, as an editor runs it. */
export const mcpRemote = kindOf('mcp-remote', 'legacy', []);
export const mcpRemoteAuto = kindOf('mcp-remote, negotiating', 'modern', ['--protocol', 'auto']);

function kindOf(name: string, era: ClientKind['era'], words: readonly string[]): ClientKind {
  return {
    name,
    era,
    open: ({ endpoint, token, homeDir }) => {
      const proxy = join(checkoutRoot(), 'node_modules/mcp-remote/dist/proxy.js');
      const env = {
        ...ownEnvironment(homeDir),
        MCP_REMOTE_CONFIG_DIR: join(homeDir, 'mcp-remote'),
        AUTH_HEADER: `Bearer ${token}`,
      };
      const args = [proxy, endpoint, '--allow-http', '--header', 'Authorization:${AUTH_HEADER}', ...words];
      return overTransport(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }));
    },
  };
}
