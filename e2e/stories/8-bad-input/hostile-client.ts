import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { newNonce } from '../../wire-agent.js';

/** An answer as it came. */
export interface HostileAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HostileRequest {
  readonly method?: string;
  readonly path?: string;
  /** Instead of a well-formed call's; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Buffer;
  /** Says no length beforehand. */
  readonly isChunked?: boolean;
}

export interface HostileSettings {
  /** Whole URL of a virtual server. */
  readonly endpoint: string;
  readonly token: string;
  /** Address of this machine that the requests come from: limits count by it. */
  readonly from?: string;
}

const REVISION = '2026-07-28';
const META = `"_meta":{"io.modelcontextprotocol/protocolVersion":"${REVISION}","io.modelcontextprotocol/clientCapabilities":{}}`;

/** The text of a call of the fixture's echo. @param argsJson - JSON text, which need not be well-formed */
export function callText(argsJson: string, tool = 'known__echo'): string {
  return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${argsJson},${META}}}`;
}

/** `params` that hold the modern envelope and nothing else. */
export const ENVELOPE = `"params":{${META}}`;

/** A client that sends what no honest one would; whatever is not said otherwise is well-formed. */
export class HostileClient {
  readonly url: URL;
  private readonly agent: Agent;
  private readonly heard = new WeakSet<Socket>();

  constructor(private readonly settings: HostileSettings) {
    this.url = new URL(settings.endpoint);
    this.agent = new Agent({ keepAlive: true, maxSockets: 24 });
  }

  /** The headers of a well-formed call. */
  headers(method = 'tools/call', name: string | undefined = 'known__echo'): Record<string, string> {
    return {
      host: this.url.host,
      authorization: `Bearer ${this.settings.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': REVISION,
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    };
  }

  send(sent: HostileRequest = {}): Promise<HostileAnswer> {
    const {
      method = 'POST',
      path = this.url.pathname,
      body = callText(`{"nonce":"${newNonce()}"}`),
      isChunked = false,
    } = sent;
    const given = Object.entries({ ...this.headers(), ...sent.headers });
    const headers = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Record<string, string>;
    if (!isChunked && method !== 'GET') headers['content-length'] = String(Buffer.byteLength(body));
    const { hostname, port } = this.url;
    const { from } = this.settings;
    return new Promise((resolve, reject) => {
      const target = { hostname, port, path, method, headers, agent: this.agent };
      const outgoing = httpRequest({ ...target, ...(from === undefined ? {} : { localAddress: from }) }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        });
      });
      // Not once: a door that hangs up after its answer breaks what is still being written.
      outgoing.on('error', reject);
      outgoing.once('socket', (socket) => {
        if (this.heard.has(socket)) return;
        this.heard.add(socket);
        socket.on('error', () => socket.destroy());
      });
      if (method === 'GET') outgoing.end();
      else outgoing.end(body);
    });
  }

  /** A bare connection to the door, on which half a request may stand. @param length - bytes that its body announces */
  async half(length: number, begin = '', tool?: string): Promise<Socket> {
    const socket = await this.connect();
    const head = Object.entries({ ...this.headers('tools/call', tool), 'content-length': String(length) });
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST ${this.url.pathname} HTTP/1.1\r\n${lines}\r\n${begin}`);
    return socket;
  }

  async connect(): Promise<Socket> {
    const { hostname, port } = this.url;
    const { from } = this.settings;
    const target = { host: hostname, port: Number(port), allowHalfOpen: true };
    const socket = createConnection({ ...target, ...(from === undefined ? {} : { localAddress: from }) });
    // A door that hangs up is an answer too.
    socket.on('error', () => socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  close(): void {
    this.agent.destroy();
  }
}

/** All that comes until the other side closes. */
export async function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    if (socket.closed || socket.readableEnded) resolve();
    socket.once('end', resolve).once('close', () => resolve());
  });
  socket.destroy();
  return Buffer.concat(chunks).toString('utf8');
}
