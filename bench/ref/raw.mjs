// The reference proxy R: the least that a Node process can do between an agent and an upstream, node:http in front and
// undici's dispatch behind. Its source is pinned by hash, so that it is never optimised (or spoilt) with the product.
// Usage: node raw.mjs PORT UPSTREAM_PORT
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 128, pipelining: 1 });

class Forward {
  constructor(response) {
    this.response = response;
    this.only = null;
  }
  onRequestStart() {}
  onResponseStart(_controller, status, headers) {
    const kept = { 'content-type': headers['content-type'] };
    if (headers['content-length']) kept['content-length'] = headers['content-length'];
    this.isWhole = Boolean(headers['content-length']);
    this.response.writeHead(status, kept);
  }
  onResponseData(_controller, chunk) {
    if (this.isWhole && this.only === null) return void (this.only = chunk);
    if (this.only !== null) this.response.write(this.only);
    this.only = null;
    this.isWhole = false;
    this.response.write(chunk);
  }
  onResponseEnd() {
    this.response.end(this.only ?? undefined);
  }
  onResponseError() {
    this.response.destroy();
  }
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer upstream',
      'mcp-protocol-version': request.headers['mcp-protocol-version'],
      'mcp-method': request.headers['mcp-method'],
      'mcp-name': request.headers['mcp-name'],
    };
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    pool.dispatch({ path: '/mcp', method: 'POST', headers, body }, new Forward(response));
  });
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen(port, '127.0.0.1', 4096, () => console.log('ready'));
