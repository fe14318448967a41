import { exposedName, type PlannedCall, PROTOCOL_VERSION, toolName } from './workload.js';

const ID_DIGITS = 10;
const ID_MIN = 1_000_000_000;

/** Where a target takes calls, and as whom. */
export interface CallTarget {
  readonly port: number;
  readonly path: string;
  /** Bearers by principal. */
  readonly tokens: readonly string[];
  /** Whether tools carry their exposed names: the reference hands bytes on and knows no other. */
  readonly isGateway: boolean;
}

/** A request as bytes, with room for the id: ten digits, so that the length never changes. */
export class RequestTemplate {
  readonly isRefused: boolean;
  private readonly bytes: Buffer;
  private readonly idAt: number;

  constructor(call: PlannedCall, target: CallTarget) {
    const name = target.isGateway ? exposedName(call.tool) : toolName(call.tool);
    const meta = JSON.stringify({
      'io.modelcontextprotocol/protocolVersion': PROTOCOL_VERSION,
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    });
    const tail = `,"method":"tools/call","params":{"name":"${name}","arguments":${call.argumentsJson},"_meta":${meta}}}`;
    const body = `{"jsonrpc":"2.0","id":${'0'.repeat(ID_DIGITS)}${tail}`;
    const head = [
      `POST ${target.path} HTTP/1.1`,
      `host: 127.0.0.1:${target.port}`,
      'content-type: application/json',
      'accept: application/json, text/event-stream',
      'user-agent: bench/1',
      `authorization: Bearer ${target.tokens[call.principal] ?? ''}`,
      `mcp-protocol-version: ${PROTOCOL_VERSION}`,
      'mcp-method: tools/call',
      `mcp-name: ${name}`,
      `content-length: ${Buffer.byteLength(body)}`,
    ].join('\r\n');
    this.bytes = Buffer.from(`${head}\r\n\r\n${body}`);
    this.idAt = Buffer.byteLength(head) + 4 + '{"jsonrpc":"2.0","id":'.length;
    this.isRefused = call.isRefused && target.isGateway;
  }

  /** The bytes of one request; to be written before the next is asked for. @param serial - 0..8,999,999,999 */
  withId(serial: number): Buffer {
    this.bytes.write(String(ID_MIN + serial), this.idAt, 'latin1');
    return this.bytes;
  }

  /** What an answer to that request says of its id. */
  static idIn(serial: number): string {
    return `"id":${ID_MIN + serial}`;
  }
}
