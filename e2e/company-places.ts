import { readFileSync } from 'node:fs';
import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TestAuthority } from '@warder/testing';

/** Where the callbacks of a person's clients arrive. */
export class Callbacks {
  private constructor(private readonly server: Server) {}

  static async listen(): Promise<Callbacks> {
    const server = createPlainServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('You can close this window.');
    });
    await listening(server);
    return new Callbacks(server);
  }

  get url(): string {
    return `${originOf(this.server, 'http')}/callback`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A vendor that publishes who its client is, under a URL that is the client's id. */
export class ClientPublisher {
  private constructor(
    private readonly server: Server,
    readonly caFile: string,
  ) {}

  /** @param dir - for its certificate */
  static async listen(dir: string): Promise<ClientPublisher> {
    const { caFile, certificateFile, keyFile } = await (await TestAuthority.make(dir)).certify('127.0.0.1');
    const server = createServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(documentAt(`${originOf(server, 'https')}/client.json`)));
    });
    await listening(server);
    return new ClientPublisher(server, caFile);
  }

  get url(): string {
    return `${originOf(this.server, 'https')}/client.json`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function documentAt(url: string): object {
  return {
    client_id: url,
    client_name: 'Published client',
    // The port of a loopback address is free (RFC 8252 section 7.3).
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
}

function originOf(server: Server, scheme: 'http' | 'https'): string {
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
