import { request } from 'undici';

/** Revisions that clients speak. */
export const REVISIONS = ['2026-07-28', '2025-11-25', '2025-06-18'] as const;
export type ClientRevision = (typeof REVISIONS)[number];

/** Forms of answer that a client may take. */
export const ACCEPTS = ['application/json', 'text/event-stream', 'application/json, text/event-stream'] as const;

export interface RandomClientSettings {
  readonly endpoint: string;
  readonly token: string;
  readonly revision: ClientRevision;
  readonly accept: string;
}

const MODERN: ClientRevision = '2026-07-28';

/** A sequence of whole numbers that is the same for the same seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((((mixed ^ (mixed >>> 14)) >>> 0) * below) / 2 ** 32) | 0;
  };
}

/** A client of any revision that takes any answer. */
export class RandomClient {
  private session: string | undefined;
  private nextId = 1;

  constructor(private readonly settings: RandomClientSettings) {}

  /** Opens a session where the revision has them. */
  async open(): Promise<this> {
    const { revision } = this.settings;
    if (revision === MODERN) return this;
    const clientInfo = { name: 'random-client', version: '1' };
    this.session = (await this.ask('initialize', { protocolVersion: revision, capabilities: {}, clientInfo })).session;
    return this;
  }

  /** Sends one request. @returns the status and the session that came with it; 0 where the connection ended */
  async ask(
    method: string,
    params: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<{ status: number; session: string | undefined }> {
    const { endpoint } = this.settings;
    const body = JSON.stringify({ jsonrpc: '2.0', id: this.nextId++, method, params: this.withEnvelope(params) });
    const headers = this.headers(method, params['name']);
    try {
      const answer = await request(endpoint, { method: 'POST', headers, body, ...(signal ? { signal } : {}) });
      await answer.body.text();
      const session = answer.headers['mcp-session-id'];
      return { status: answer.statusCode, session: typeof session === 'string' ? session : undefined };
    } catch {
      return { status: 0, session: undefined };
    }
  }

  private withEnvelope(params: Readonly<Record<string, unknown>>): object {
    if (this.settings.revision !== MODERN) return params;
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    return { ...params, _meta: { ...envelope, ...(params['_meta'] as object | undefined) } };
  }

  private headers(method: string, name: unknown): Record<string, string> {
    const { token, revision, accept } = this.settings;
    return {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept,
      'mcp-protocol-version': revision,
      ...(revision === MODERN ? { 'mcp-method': method } : {}),
      ...(revision === MODERN && typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...(this.session === undefined ? {} : { 'mcp-session-id': this.session }),
    };
  }
}
