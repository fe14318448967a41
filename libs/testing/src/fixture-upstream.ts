import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { sendInPieces, sendJson, startStream, writeEvent } from './fixture-upstream-answers.js';
import { callerOf, doorOf, type FixtureDoor } from './fixture-upstream-door.js';
import { FixtureLedger, type LedgerEntry } from './fixture-upstream-ledger.js';
import { type FixtureEra, type FixtureMessage, FixtureProtocol } from './fixture-upstream-protocol.js';
import {
  FAKE_LEAK,
  FIXTURE_TOOLS,
  fixtureDefinitions,
  type FixtureLeak,
  leakText,
  type ToolAnswer,
} from './fixture-upstream-tools.js';

/** Where a fixture may die, or drop the connection if it lives in the test's process. */
export type FixtureKillPoint = 'before-ledger' | 'after-ledger' | 'after-answer';

export interface FixtureOptions extends FixtureDoor {
  readonly era?: FixtureEra;
  /** 0 for a free one. */
  readonly port?: number;
  /** Where executed calls are written, fsynced before they are answered. */
  readonly ledgerFile?: string;
  /** Answers of tools come as event streams even where JSON would do. */
  readonly answersBySse?: boolean;
  /** What dying means; the child process kills itself, in a test's process only the connection dies. */
  readonly die?: (response: ServerResponse) => void;
}

/** What a fixture can be told while it runs; over HTTP as `POST /control`. */
export interface FixtureControl {
  /** Takes calls and never answers. */
  hang?: boolean;
  killAt?: FixtureKillPoint | null;
  /** Answers every request with this status; 0 for none. */
  status?: number;
  /** Adds a tool of this name and announces the change. */
  addTool?: string;
  /** Gives a tool another description and announces the change. */
  describe?: { readonly tool: string; readonly description: string };
  /** What its tools leak from now on. */
  leak?: FixtureLeak;
  /** Answers the question for its tools with an error that leaks. */
  failsToList?: boolean;
}

/** A real MCP server over node:http whose behaviour, good and bad, is all known. */
export class FixtureUpstream {
  /** Nonces of calls whose client hung up or said `notifications/cancelled` before the answer. */
  readonly cancelled: (string | null)[] = [];
  /** Answers of the client to requests of this server. */
  readonly responses: unknown[] = [];
  requests = 0;
  private readonly ledger: FixtureLedger;
  private readonly protocol: FixtureProtocol;
  private readonly server: Server;
  private readonly listeners = new Map<ServerResponse, string | undefined>();
  private readonly waiting = new Map<string | number, () => void>();
  private readonly extraTools: string[] = [];
  private readonly described = new Map<string, string>();
  private control: FixtureControl = {};

  constructor(private readonly options: FixtureOptions) {
    this.ledger = new FixtureLedger(options.ledgerFile);
    this.protocol = new FixtureProtocol(options.era ?? 'modern');
    this.server = doorOf(options, (request, response) => void this.serve(request, response));
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    // A certificate is of a name.
    return this.options.tls === undefined ? `http://127.0.0.1:${port}/mcp` : `https://localhost:${port}/mcp`;
  }

  async listen(): Promise<this> {
    this.server.listen(this.options.port ?? 0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  executed(): readonly LedgerEntry[] {
    return this.ledger.read();
  }

  /** Sets the named switches, leaves the others. */
  set(control: FixtureControl): void {
    this.control = { ...this.control, ...control };
    const { addTool, describe } = control;
    if (addTool === undefined && describe === undefined) return;
    if (addTool !== undefined) this.extraTools.push(addTool);
    if (describe !== undefined) this.described.set(describe.tool, describe.description);
    for (const [response, id] of this.listeners) {
      const params = id === undefined ? {} : { _meta: { 'io.modelcontextprotocol/subscriptionId': id } };
      writeEvent(response, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params }));
    }
  }

  /** How many streams hear of changes now. */
  listening(): number {
    return this.listeners.size;
  }

  forgetSessions(): void {
    this.protocol.sessions.clear();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
    this.ledger.close();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    if (request.url === '/control') return this.serveControl(body, response);
    this.requests += 1;
    if (this.control.hang === true) return;
    if (this.control.status) return sendJson(response, this.control.status, JSON.stringify({ error: 'as told' }));
    const caller = await callerOf(this.options, request, body);
    if ('status' in caller) {
      if (caller.status === 401) response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
      return sendJson(response, caller.status, '');
    }
    if (request.method === 'GET') return this.serveGet(request, response);
    if (request.method !== 'POST') return sendJson(response, request.method === 'DELETE' ? 200 : 405, '');
    const message = JSON.parse(body) as FixtureMessage;
    if (message.method === undefined) this.responses.push(message);
    if (message.method === 'notifications/cancelled') this.onCancelled(message);
    const greeting = this.protocol.greet(message, request);
    if (greeting !== undefined) {
      if (greeting.sessionId !== undefined) response.setHeader('mcp-session-id', greeting.sessionId);
      return sendJson(response, greeting.status, greeting.body === undefined ? '' : JSON.stringify(greeting.body));
    }
    if (message.method === 'subscriptions/listen') return this.follow(response, String(message.id));
    if (message.method === 'tools/list') return this.list(message, response);
    await this.callTool(message, request, response, caller.account);
  }

  private serveControl(body: string, response: ServerResponse): void {
    if (body !== '') this.set(JSON.parse(body) as FixtureControl);
    const { cancelled, requests, responses } = this;
    sendJson(response, 200, JSON.stringify({ cancelled, requests, responses, executed: this.executed() }));
  }

  private serveGet(request: IncomingMessage, response: ServerResponse): void {
    const session = request.headers['mcp-session-id'];
    if (this.protocol.isModern) return sendJson(response, 405, '');
    if (typeof session !== 'string' || !this.protocol.sessions.has(session)) return sendJson(response, 404, '');
    this.follow(response, undefined);
  }

  private follow(response: ServerResponse, id: string | undefined): void {
    startStream(response);
    response.flushHeaders();
    this.listeners.set(response, id);
    response.on('close', () => this.listeners.delete(response));
    if (id === undefined) return;
    const params = {
      notifications: { toolsListChanged: true },
      _meta: { 'io.modelcontextprotocol/subscriptionId': id },
    };
    writeEvent(
      response,
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params }),
    );
  }

  private list(message: FixtureMessage, response: ServerResponse): void {
    if (this.control.failsToList === true) {
      const error = { code: -32_603, message: `no list: ${leakText(this.control.leak ?? FAKE_LEAK)}` };
      return sendJson(response, 200, JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
    }
    // Two pages, so that a client that reads only the first is found out.
    const all = fixtureDefinitions(this.extraTools, this.described);
    const isSecond = message.params?.['cursor'] === 'second';
    const tools = isSecond ? all.slice(5) : all.slice(0, 5);
    const cache = this.protocol.isModern ? { ttlMs: 60_000, cacheScope: 'public' } : {};
    const result = { tools, ...(isSecond ? {} : { nextCursor: 'second' }), ...this.protocol.resultMembers, ...cache };
    sendJson(response, 200, JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
  }

  private async callTool(
    message: FixtureMessage,
    request: IncomingMessage,
    response: ServerResponse,
    account: string,
  ): Promise<void> {
    const args = (message.params?.['arguments'] ?? {}) as Readonly<Record<string, unknown>>;
    const name = String(message.params?.['name']);
    const tool = FIXTURE_TOOLS.get(name);
    const id = message.id ?? 0;
    if (tool === undefined && !this.extraTools.includes(name)) {
      const error = { code: -32602, message: `Unknown tool: ${name}` };
      return sendJson(response, 200, JSON.stringify({ jsonrpc: '2.0', id, error }));
    }
    const nonce = typeof args['nonce'] === 'string' ? args['nonce'] : null;
    if (this.control.killAt === 'before-ledger') return this.die(response);
    this.ledger.write({ nonce, tool: name, ...(account === '' ? {} : { account }) });
    if (this.control.killAt === 'after-ledger') return this.die(response);
    const answer = tool?.run(args, request.headers, this.control.leak ?? FAKE_LEAK) ?? { resultText: '{"content":[]}' };
    response.on('close', () => {
      if (!response.writableFinished) this.cancelled.push(nonce);
    });
    if (answer.afterMs !== undefined) await this.wait(id, answer.afterMs, response);
    if (response.destroyed) return;
    await this.answer(message, answer, response);
    if (answer.isForgetful === true) this.forgetSessions();
    if (this.control.killAt !== 'after-answer') return;
    // The answer has been handed to the system when it is finished; it outlives the process.
    if (!response.writableFinished) await once(response, 'finish');
    this.die(response);
  }

  private async answer(message: FixtureMessage, answer: ToolAnswer, response: ServerResponse): Promise<void> {
    const id = JSON.stringify(message.id);
    const own = JSON.stringify(this.protocol.resultMembers).slice(1, -1);
    if (answer.travels === 'ask' && this.protocol.isModern) {
      return sendJson(response, 200, `{"jsonrpc":"2.0","id":${id},"result":${INPUT_REQUIRED}}`);
    }
    const body =
      answer.isProtocolError === true
        ? `{"jsonrpc":"2.0","id":${id},"error":${answer.resultText}}`
        : `{"jsonrpc":"2.0","id":${id},"result":{${own === '' ? '' : `${own},`}${answer.resultText.slice(1)}}`;
    if (answer.travels === 'no-json') return sendJson(response, 200, body.slice(0, -1));
    if (answer.travels === 'status-500') return sendJson(response, 500, answer.resultText);
    if (answer.travels === 'gzip') {
      response.setHeader('content-encoding', 'gzip');
      return void response.setHeader('content-type', 'application/json').end(gzipSync(body));
    }
    const token = message.params?._meta?.['progressToken'];
    const progress = token === undefined ? [] : (answer.progress ?? []);
    if (progress.length === 0 && answer.travels === undefined && this.options.answersBySse !== true) {
      return sendJson(response, 200, body);
    }
    startStream(response);
    for (const params of progress) {
      const method = 'notifications/progress';
      writeEvent(response, JSON.stringify({ jsonrpc: '2.0', method, params: { progressToken: token, ...params } }));
    }
    if (answer.travels === 'ask') writeEvent(response, ELICITATION);
    if (answer.travels === 'sse-split') return sendInPieces(response, body);
    writeEvent(response, body);
    response.end();
  }

  private async wait(id: string | number, ms: number, response: ServerResponse): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      const stop = () => (clearTimeout(timer), resolve());
      this.waiting.set(id, () => (response.destroy(), stop()));
      response.on('close', stop);
    });
    this.waiting.delete(id);
  }

  private onCancelled(message: FixtureMessage): void {
    this.waiting.get(message.params?.['requestId'] as number)?.();
  }

  private die(response: ServerResponse): void {
    if (this.options.die !== undefined) this.options.die(response);
    else response.destroy();
  }
}

const INPUT_REQUIRED = JSON.stringify({
  resultType: 'input_required',
  inputRequests: { confirm: { method: 'elicitation/create', params: { message: 'Your password?', mode: 'form' } } },
  requestState: 'v1.state',
});
const ELICITATION =
  '{"jsonrpc":"2.0","id":"ask-1","method":"elicitation/create","params":{"message":"Your password?","requestedSchema":{"type":"object","properties":{}}}}';

/** Starts a fixture in this process. */
export function startFixtureUpstream(options: FixtureOptions = {}): Promise<FixtureUpstream> {
  return new FixtureUpstream(options).listen();
}
