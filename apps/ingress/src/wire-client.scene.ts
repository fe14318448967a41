import type { Answered, IngressScene } from './ingress.scene.js';

/** A client of either era that speaks the wire by hand, so that a test sees every byte. */
export class WireClient {
  private nextId = 1;
  sessionToken: string | undefined;

  constructor(
    private readonly scene: Pick<IngressScene, 'send'>,
    readonly era: 'modern' | 'legacy',
    private readonly token: string,
    private readonly virtualServer = 'dev',
  ) {}

  /** Opens a legacy session; a modern client needs none. */
  async open(): Promise<this> {
    if (this.era === 'modern') return this;
    const clientInfo = { name: 'wire-client', version: '1' };
    const answer = await this.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    this.sessionToken = answer.headers['mcp-session-id'] as string;
    return this;
  }

  /** The message of a request, as text. */
  messageOf(method: string, params: Record<string, unknown> = {}, id: unknown = this.nextId++): string {
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'wire-client', version: '1' },
    };
    const meta = { ...(this.era === 'modern' ? envelope : {}), ...(params['_meta'] as object | undefined) };
    const all = Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
    return JSON.stringify({ jsonrpc: '2.0', id, method, params: all });
  }

  headersOf(method: string, name?: unknown): Record<string, string> {
    const own: Record<string, string> =
      this.era === 'modern'
        ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method }
        : { 'mcp-protocol-version': '2025-11-25' };
    if (this.era === 'modern' && typeof name === 'string') own['mcp-name'] = name;
    if (this.sessionToken !== undefined) own['mcp-session-id'] = this.sessionToken;
    return {
      authorization: `Bearer ${this.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...own,
    };
  }

  ask(method: string, params: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Answered> {
    const headers = this.headersOf(method, params['name']);
    const body = this.messageOf(method, params);
    return this.scene.send(`/mcp/${this.virtualServer}`, { headers, body, ...(signal ? { signal } : {}) });
  }

  call(name: string, args: Record<string, unknown> = {}, meta?: object, signal?: AbortSignal): Promise<Answered> {
    return this.ask('tools/call', { name, arguments: args, ...(meta ? { _meta: meta } : {}) }, signal);
  }
}

/** What a test looks at in a message. */
export interface WireMessage {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly progressToken?: unknown; readonly progress?: number };
  readonly result?: {
    readonly tools?: readonly { readonly name: string }[];
    readonly content?: readonly { readonly type: string; readonly text: string }[];
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { readonly code?: string } };
}

/** The messages of an answer, be it JSON or an event stream. */
export function messagesOf(answer: Answered): WireMessage[] {
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  if (!isStream) return [JSON.parse(answer.text) as WireMessage];
  const events = answer.text.split('\n\n').filter((event) => event.includes('data: '));
  return events.map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)) as WireMessage);
}

/** The one message of an answer that is none but the answer. */
export function messageOf(answer: Answered): WireMessage {
  const [message, ...more] = messagesOf(answer);
  if (message === undefined || more.length > 0) throw new Error(`not one message: ${answer.text}`);
  return message;
}
