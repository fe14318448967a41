import { join } from 'node:path';
import {
  Client as ClientV2,
  type OAuthClientProvider as ProviderV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { checkoutRoot } from '@warder/testing';
import { ownEnvironment, type RealClient, toolTextOf } from './real-client.js';
import { overTransport } from './sdk-v1-client.js';

const CALLBACK = 'http://127.0.0.1:5998/callback';

/**
 * A person with a browser: opens an address, signs in, and says to which address the client's callback was sent; null
 * where the browser has gone there itself and a client waited there.
 */
export type Person = (address: string) => Promise<string | null>;

/** What a client of the SDK may be told before it connects, in its memory; absent, it registers itself. */
export const SETTINGS = {
  /** Its callback, where the person's browser can go there. */
  callback: 'setting/callback',
  /** Where it publishes who it is. */
  document: 'setting/document',
} as const;

/** A client that is given a URL and nothing else. */
export interface SigningInClient {
  readonly name: string;
  /** @param memory - what the client keeps between two connects */
  open(endpoint: string, person: Person, memory: Map<string, unknown>, homeDir: string): Promise<RealClient>;
}

/** What a client of the SDK keeps, and where it sends its person. */
function providerOf(person: Person, memory: Map<string, unknown>) {
  const callback = (memory.get(SETTINGS.callback) as string | undefined) ?? CALLBACK;
  const document = memory.get(SETTINGS.document) as string | undefined;
  return {
    redirectUrl: callback,
    ...(document === undefined ? {} : { clientMetadataUrl: document }),
    clientMetadata: {
      client_name: 'Story client',
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    state: () => 'a-state-of-the-client',
    clientInformation: () => memory.get('client'),
    saveClientInformation: (client: unknown) => void memory.set('client', client),
    tokens: () => memory.get('tokens'),
    saveTokens: (tokens: unknown) => void memory.set('tokens', tokens),
    saveCodeVerifier: (verifier: string) => void memory.set('verifier', verifier),
    codeVerifier: () => memory.get('verifier') as string,
    saveDiscoveryState: (discovered: unknown) => void memory.set('discovery', discovered),
    discoveryState: () => memory.get('discovery'),
    invalidateCredentials: (what: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery') => {
      for (const each of what === 'all' ? ['client', 'tokens'] : [what]) memory.delete(each);
    },
    redirectToAuthorization: async (address: URL) => void memory.set('callback', await person(address.href)),
  };
}

const codeIn = (memory: Map<string, unknown>): URLSearchParams =>
  new URL(memory.get('callback') as string).searchParams;

export const signingInV1: SigningInClient = {
  name: 'SDK v1',
  open: async (endpoint, person, memory) => {
    const authProvider = providerOf(person, memory) as unknown as OAuthClientProvider;
    const make = () => new StreamableHTTPClientTransport(new URL(endpoint), { authProvider });
    const first = make();
    try {
      return await overTransport(first as Transport);
    } catch (error) {
      if (!memory.has('callback')) throw error;
      await first.finishAuth(codeIn(memory).get('code') ?? '');
      return overTransport(make() as Transport);
    }
  },
};

export const signingInV2: SigningInClient = {
  name: 'SDK v2',
  open: async (endpoint, person, memory) => {
    const authProvider = providerOf(person, memory) as unknown as ProviderV2;
    const connect = async (transport: TransportV2) => {
      const client = new ClientV2({ name: 'warder-story', version: '2.0.0' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(transport);
      return client;
    };
    const make = () => new TransportV2(new URL(endpoint), { authProvider });
    const first = make();
    const client = await connect(first).catch(async (error: unknown) => {
      if (!memory.has('callback')) throw error;
      await first.finishAuth(codeIn(memory));
      return connect(make());
    });
    return {
      list: async () => (await client.listTools()).tools.map((tool) => tool.name).toSorted(),
      call: async (tool, args) => toolTextOf(await client.callTool({ name: tool, arguments: args })),
      close: () => client.close(),
    };
  },
};

export const signingInRemote: SigningInClient = {
  name: 'mcp-remote',
  open: async (endpoint, person, _, homeDir) => {
    const proxy = join(checkoutRoot(), 'node_modules/mcp-remote/dist/proxy.js');
    const env = { ...ownEnvironment(homeDir), MCP_REMOTE_CONFIG_DIR: join(homeDir, 'mcp-remote') };
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [proxy, endpoint, '--allow-http'],
      env,
      stderr: 'pipe',
    });
    let told = '';
    let isAsked = false;
    transport.stderr?.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      const address = /(https?:\/\/\S+\/oauth\/authorize\?\S+)\s/.exec(told)?.[1];
      if (address === undefined || isAsked) return;
      isAsked = true;
      // Its own listener waits for the code.
      void comeBack(person, address);
    });
    return overTransport(transport);
  },
};

/** The browser follows where it is sent, to the client's own listener. */
async function comeBack(person: Person, address: string): Promise<void> {
  const callback = await person(address);
  if (callback !== null) await fetch(callback);
}
