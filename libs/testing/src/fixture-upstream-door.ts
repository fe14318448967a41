import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** Whom a fixture lets in. */
export interface FixtureDoor {
  /** Whose a bearer token is; undefined: nobody's, and the request is refused (401). Without it everybody is let in. */
  readonly accountOf?: (token: string) => string | undefined | Promise<string | undefined>;
  /** Whose a request is by all that it is; undefined: nobody's, and it is refused (403). */
  readonly accountOfRequest?: (request: IncomingMessage, body: string) => string | undefined;
  /** Speaks TLS with these, PEM, and with nobody whose certificate is not of the authority. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientAuthority: string };
}

/** A server of the fixture, which does not listen yet. */
export function doorOf(
  { tls }: FixtureDoor,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  if (tls === undefined) return createServer(serve);
  const { cert, key, clientAuthority: ca } = tls;
  return createTlsServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, serve);
}

/** Whose a request is, empty where nobody is asked who they are; or what it is refused with. */
export async function callerOf(
  { accountOf, accountOfRequest }: FixtureDoor,
  request: IncomingMessage,
  body: string,
): Promise<{ readonly account: string } | { readonly status: 401 | 403 }> {
  if (accountOfRequest !== undefined) {
    const account = accountOfRequest(request, body);
    return account === undefined ? { status: 403 } : { account };
  }
  if (accountOf === undefined) return { account: '' };
  const account = await accountOf(/^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
  return account === undefined ? { status: 401 } : { account };
}

/** Common name of the certificate that the other end proved itself with; undefined without one that is trusted. */
export function certifiedName(request: IncomingMessage): string | undefined {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) return undefined;
  const { CN: name } = socket.getPeerCertificate().subject;
  return typeof name === 'string' ? name : undefined;
}
