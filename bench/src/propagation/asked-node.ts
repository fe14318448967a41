import { Agent, request } from 'undici';

const REVISION = '2026-07-28';
/** Between an answer and the next question: the error of what is measured, and the load that asking is. */
const PAUSE_MS = 2;
/** A node that has not refused by then never heard of it. */
const PATIENCE_MS = 60_000;

/** One ingress node, asked past the balancer on a connection of its own. */
export class AskedNode {
  private readonly dispatcher = new Agent({ connections: 1, pipelining: 1 });

  /** @param place - host and port @param door - host and port that every node expects in `Host` */
  constructor(
    readonly name: string,
    private readonly place: string,
    private readonly door: string,
    private readonly virtualServer: string,
  ) {}

  /**
   * Asks with the token until it is answered so.
   * @returns milliseconds of `performance.now()` at the first such answer
   * @throws Error for any other answer than 200 and 401, and when the node keeps on answering otherwise for a minute
   */
  async first(status: 200 | 401, token: string): Promise<number> {
    const stopAtMs = performance.now() + PATIENCE_MS;
    while (performance.now() < stopAtMs) {
      const answered = await this.ask(token);
      const atMs = performance.now();
      if (answered === status) return atMs;
      if (answered !== 200 && answered !== 401) throw new Error(`${this.name} answered ${answered}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error(`${this.name} did not answer ${status} within a minute`);
  }

  async close(): Promise<void> {
    await this.dispatcher.close();
  }

  private async ask(token: string): Promise<number> {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': REVISION,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    };
    const answer = await request(`http://${this.place}/mcp/${this.virtualServer}`, {
      method: 'POST',
      dispatcher: this.dispatcher,
      headers: {
        host: this.door,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': REVISION,
        'mcp-method': 'server/discover',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: meta } }),
    });
    await answer.body.dump();
    return answer.statusCode;
  }
}
