import { request } from 'undici';

export interface WireAgentSettings {
  readonly url: string;
  /** The door's own host and port, which every node expects. */
  readonly host: string;
  readonly token: string;
  readonly node: string;
  /** Upstream whose tools it calls; `known` where not given. */
  readonly upstream?: string;
}

/** An answer as it came; status 0: none came, for the connection was refused or lost. */
export interface WireAnswer {
  readonly status: number;
  readonly text: string;
}

const REVISION = '2026-07-28';
let nonces = 0;

/** A nonce that no other call of this process carries. */
export function newNonce(): string {
  nonces += 1;
  return `n${process.pid}-${nonces}`;
}

/** A stateless client that speaks the wire by hand: one request, one answer, no retries. */
export class WireAgent {
  private nextId = 1;

  constructor(private readonly settings: WireAgentSettings) {}

  get node(): string {
    return this.settings.node;
  }

  /** Where it goes, and under which name. */
  get place(): { readonly url: string; readonly host: string } {
    const { url, host } = this.settings;
    return { url, host };
  }

  /** Calls a tool of the fixture. @param args - a nonce is added where they have none */
  call(tool: string, args: Readonly<Record<string, unknown>> = {}, wantsStream = false): Promise<WireAnswer> {
    const meta = wantsStream ? { progressToken: 'p' } : {};
    const params = {
      name: `${this.settings.upstream ?? 'known'}__${tool}`,
      arguments: { nonce: newNonce(), ...args },
      _meta: meta,
    };
    return this.ask('tools/call', params);
  }

  /** Whether a call is answered by the fixture. */
  async isServed(): Promise<boolean> {
    const { status, text } = await this.call('echo', { text: 'here' });
    return status === 200 && text.includes('"here"');
  }

  async ask(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<WireAnswer> {
    const { url, host, token } = this.settings;
    const meta = {
      'io.modelcontextprotocol/protocolVersion': REVISION,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'wire-agent', version: '1' },
      ...(params['_meta'] as object | undefined),
    };
    const message = { jsonrpc: '2.0', id: this.nextId++, method, params: { ...params, _meta: meta } };
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: {
          host,
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': REVISION,
          'mcp-method': method,
          ...(typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}),
        },
        body: JSON.stringify(message),
        headersTimeout: 130_000,
        bodyTimeout: 130_000,
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch {
      return { status: 0, text: '' };
    }
  }
}

/**
 * Asks until the answer is true.
 * @throws Error naming what was waited for
 */
export async function eventually(what: string, check: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const stopAtMs = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > stopAtMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
