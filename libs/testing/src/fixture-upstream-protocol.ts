import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export type FixtureEra = 'modern' | 'legacy' | 'legacy-2025-06-18';

/** One JSON-RPC message as the fixture reads it. */
export interface FixtureMessage {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>> & { readonly _meta?: Readonly<Record<string, unknown>> };
}

/** An answer that is not a tool's. */
export interface PlainAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly sessionId?: string;
}

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';
const SERVER = { name: 'warder-fixture', version: '1.0.0' };
const CAPABILITIES = { tools: { listChanged: true } };

/** The era's own rules: who is greeted how, and what is refused before a tool is looked for. */
export class FixtureProtocol {
  readonly sessions = new Set<string>();
  readonly isModern: boolean;

  constructor(private readonly era: FixtureEra) {
    this.isModern = era === 'modern';
  }

  /** The answer to everything but tools/list and tools/call; undefined for those, when they may go on. */
  greet(message: FixtureMessage, request: IncomingMessage): PlainAnswer | undefined {
    return this.isModern ? this.greetModern(message, request) : this.greetLegacy(message, request);
  }

  /** Members that the era's results carry. */
  get resultMembers(): Readonly<Record<string, unknown>> {
    return this.isModern ? { resultType: 'complete' } : {};
  }

  private greetModern(message: FixtureMessage, request: IncomingMessage): PlainAnswer | undefined {
    const { id = null, method, params } = message;
    const refuse = (status: number, code: number, text: string, data?: unknown) => ({
      status,
      body: { jsonrpc: '2.0', id, error: { code, message: text, data } },
    });
    const meta = params?._meta;
    if (meta?.[VERSION_KEY] === undefined && request.headers['mcp-protocol-version'] !== '2026-07-28') {
      return refuse(400, -32022, 'Unsupported protocol version', { supported: ['2026-07-28'] });
    }
    if (typeof meta?.[VERSION_KEY] !== 'string' || typeof meta[CAPABILITIES_KEY] !== 'object') {
      return refuse(400, -32602, 'Invalid params: _meta is incomplete');
    }
    if (meta[VERSION_KEY] !== '2026-07-28') {
      return refuse(400, -32022, 'Unsupported protocol version', {
        supported: ['2026-07-28'],
        requested: meta[VERSION_KEY],
      });
    }
    const { headers } = request;
    const isNamed = method !== 'tools/call' || decode(headers['mcp-name']) === params?.['name'];
    if (headers['mcp-protocol-version'] !== meta[VERSION_KEY] || headers['mcp-method'] !== method || !isNamed) {
      return refuse(400, -32020, 'Bad Request: headers and body disagree');
    }
    if (method === 'server/discover') {
      const result = { supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES, ttlMs: 0, cacheScope: 'private' };
      return { status: 200, body: { jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } } };
    }
    const isKnown = method === 'tools/list' || method === 'tools/call' || method === 'subscriptions/listen';
    return isKnown ? undefined : refuse(404, -32601, 'Method not found');
  }

  private greetLegacy(message: FixtureMessage, request: IncomingMessage): PlainAnswer | undefined {
    const { id = null, method } = message;
    if (method === 'initialize') {
      const sessionId = randomUUID();
      this.sessions.add(sessionId);
      const protocolVersion = this.era === 'legacy' ? '2025-11-25' : '2025-06-18';
      const result = { protocolVersion, capabilities: CAPABILITIES, serverInfo: SERVER };
      return { status: 200, sessionId, body: { jsonrpc: '2.0', id, result } };
    }
    const refuse = (status: number, code: number, text: string) => ({
      status,
      body: { jsonrpc: '2.0', id: null, error: { code, message: text } },
    });
    const session = request.headers['mcp-session-id'];
    if (typeof session !== 'string') return refuse(400, -32000, 'Bad Request: Server not initialized');
    if (!this.sessions.has(session)) return refuse(404, -32001, 'Session not found');
    if (message.id === undefined || method === undefined) return { status: 202 };
    if (method === 'ping') return { status: 200, body: { jsonrpc: '2.0', id, result: {} } };
    const isKnown = method === 'tools/list' || method === 'tools/call';
    return isKnown ? undefined : { ...refuse(200, -32601, 'Method not found'), status: 200 };
  }
}

function decode(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const sentinel = /^=\?base64\?(.*)\?=$/.exec(header);
  return sentinel === null ? header : Buffer.from(sentinel[1] ?? '', 'base64').toString('utf8');
}
