import type { IncomingMessage, ServerResponse } from 'node:http';
import { ADMIN_PATH, ADMIN_SCOPE, OAUTH_SCOPE, type TrustedIssuerState } from '@warder/contracts';
import { answerJson } from '@warder/service-host';
import type { WrittenAnswer } from './written-answer.js';

/** Path of the metadata of what stands under `/mcp` (RFC 9728 section 3.1: the well-known part comes first). */
export const METADATA_PREFIX = '/.well-known/oauth-protected-resource';
/** What a virtual server may be called; anything else is not repeated in a header. */
const NAME = /^[a-z0-9-]{1,40}$/;

/** The origin without a slash at its end, as issuers and audiences are written. */
export function originOf(publicUrl: URL): string {
  return publicUrl.origin;
}

/** The URL of a virtual server: what clients connect to, and the audience of their tokens, to the byte. */
export function resourceOf(origin: string, virtualServer: string): string {
  return `${origin}/mcp/${virtualServer}`;
}

/** The company's own authorization server, where clients get their tokens there. */
export type Issuer = Pick<TrustedIssuerState, 'issuer' | 'scope'> | undefined;

/** What a client is to ask for; null: nothing of ours. */
function scopeOf(issuer: Issuer): string | null {
  return issuer === undefined ? OAUTH_SCOPE : issuer.scope;
}

/** A 401 that says where tokens for the virtual server are had (RFC 9728 section 5.1); any other answer as it is. */
export function challenged(
  answer: WrittenAnswer,
  { publicUrl, issuer }: { readonly publicUrl: () => URL; readonly issuer: () => Issuer },
  virtualServer: string,
): WrittenAnswer {
  const challenge = answer.headers['www-authenticate'];
  if (challenge === undefined || !NAME.test(virtualServer)) return answer;
  const metadata = `resource_metadata="${publicUrl().origin}${METADATA_PREFIX}/mcp/${virtualServer}"`;
  const scope = scopeOf(issuer());
  const told = scope === null ? `${challenge}, ${metadata}` : `${challenge}, ${metadata}, scope="${scope}"`;
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': told } };
}

/**
 * Answers where tokens for a virtual server are had. The same for every name, whether there is such a server or not:
 * nobody has said who they are.
 * @see RFC 9728 section 3.2
 */
export function answerProtectedResource(
  { publicUrl, issuer }: { readonly publicUrl: URL; readonly issuer: Issuer },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = (request.url ?? '').split('?', 1)[0]!.slice(METADATA_PREFIX.length);
  const origin = originOf(publicUrl);
  // Tokens for the admin doors are had of our own authorization server, and where that is not used, of nobody.
  if (path === ADMIN_PATH && issuer === undefined)
    return answerMetadata(response, `${origin}${ADMIN_PATH}`, origin, ADMIN_SCOPE);
  const virtualServer = path.startsWith('/mcp/') ? path.slice(5) : '';
  if (!NAME.test(virtualServer)) {
    return answerJson(response, 404, { error: { code: 'WDR_PATH_UNKNOWN', message: 'no such path' } });
  }
  answerMetadata(response, resourceOf(origin, virtualServer), issuer?.issuer ?? origin, scopeOf(issuer));
}

function answerMetadata(response: ServerResponse, resource: string, server: string, scope: string | null): void {
  // Clients in a browser read it before they have a token.
  response.setHeader('access-control-allow-origin', '*');
  answerJson(response, 200, {
    resource,
    authorization_servers: [server],
    ...(scope === null ? {} : { scopes_supported: [scope] }),
    bearer_methods_supported: ['header'],
  });
}
