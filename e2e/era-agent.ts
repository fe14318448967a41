import { request } from 'undici';

export type Era = 'legacy' | 'modern';

export interface EraAgentSettings {
  readonly url: string;
  /** The door's own host and port, where `url` leads to a node past the door. */
  readonly host: string;
  readonly token: string;
  readonly era: Era;
}

/** An answer with everything that an agent can see of it. */
export interface SeenAnswer {
  readonly status: number;
  /** All but the time of day. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const REVISION = '2026-07-28';
const LEGACY_REVISION = '2025-11-25';
const CLIENT = { name: 'era-agent', version: '1' };
/** The same in every request, so that answers can be compared to the byte. */
const ID = 7;

/** A client of either era that speaks the wire by hand and shows each answer as it came. */
export class EraAgent {
  private sessionId: string | undefined;

  private constructor(private readonly settings: EraAgentSettings) {}

  /** Opens a session where the era has them. */
  static async open(settings: EraAgentSettings): Promise<EraAgent> {
    const agent = new EraAgent(settings);
    if (settings.era === 'modern') return agent;
    const { status, text, headers } = await agent.initialize();
    if (status !== 200) throw new Error(`initialize: ${status} ${text}`);
    agent.sessionId = String(headers['mcp-session-id']);
    await agent.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return agent;
  }

  /** What the first message of a client of the era is answered. */
  static greet(settings: EraAgentSettings): Promise<SeenAnswer> {
    const agent = new EraAgent(settings);
    return settings.era === 'modern' ? agent.list() : agent.initialize();
  }

  list(): Promise<SeenAnswer> {
    return this.ask('tools/list', {});
  }

  /** @param progressToken - asks for progress, and so for a stream */
  call(name: string, args: Readonly<Record<string, unknown>>, progressToken?: string): Promise<SeenAnswer> {
    const meta = progressToken === undefined ? {} : { _meta: { progressToken } };
    return this.ask('tools/call', { name, arguments: args, ...meta });
  }

  private initialize(): Promise<SeenAnswer> {
    const params = { protocolVersion: LEGACY_REVISION, capabilities: {}, clientInfo: CLIENT };
    return this.post({ jsonrpc: '2.0', id: ID, method: 'initialize', params });
  }

  private ask(method: string, params: Readonly<Record<string, unknown>>): Promise<SeenAnswer> {
    const { era } = this.settings;
    if (era === 'legacy') return this.post({ jsonrpc: '2.0', id: ID, method, params });
    const meta = {
      'io.modelcontextprotocol/protocolVersion': REVISION,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': CLIENT,
      ...(params['_meta'] as object | undefined),
    };
    const name: Record<string, string> = typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {};
    const headers = { 'mcp-method': method, ...name };
    return this.post({ jsonrpc: '2.0', id: ID, method, params: { ...params, _meta: meta } }, headers);
  }

  private async post(message: object, extra: Readonly<Record<string, string>> = {}): Promise<SeenAnswer> {
    const { url, host, token, era } = this.settings;
    const answer = await request(url, {
      method: 'POST',
      headers: {
        host,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': era === 'modern' ? REVISION : LEGACY_REVISION,
        ...(this.sessionId === undefined ? {} : { 'mcp-session-id': this.sessionId }),
        ...extra,
      },
      body: JSON.stringify(message),
    });
    const { date: _date, ...headers } = answer.headers;
    return { status: answer.statusCode, headers, text: await answer.body.text() };
  }
}
