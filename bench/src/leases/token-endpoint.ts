import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Seconds that its access tokens live: as long as those of most providers. */
export const LIFE_S = 3_600;

/** A provider's token endpoint that refreshes whatever it is asked to, and counts. */
export class TokenEndpoint {
  refreshes = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      request.resume().once('end', () => {
        this.refreshes += 1;
        const [access_token, refresh_token] = [token(), token()];
        const body = JSON.stringify({ access_token, refresh_token, token_type: 'Bearer', expires_in: LIFE_S });
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      });
    });
  }

  static async start(): Promise<TokenEndpoint> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TokenEndpoint(server);
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** As long as an opaque token of a provider. */
export function token(): string {
  return randomBytes(30).toString('base64url');
}
