import { atPointer, documentOf, textAt } from './json-pointer.js';
import type { ProviderEntry } from './provider-entry.js';
import { basicCredentials, bodyOf, type ProviderRequest, type ProviderSetup } from './provider-setup.js';
import { clientProof, lowerCase } from './token-request.js';
import { isComplete, renderUrl } from './url-template.js';

/** What is left of a connection's tokens. */
export interface HeldTokens {
  readonly accessToken?: string;
  readonly refreshToken?: string;
}

type OwnRevocation = Extract<ProviderEntry['revocation'], { kind: 'request' }>;

/** The requests that end a connection at its provider, in their order; none where the provider has no way. */
export function revocationRequests(setup: ProviderSetup, tokens: HeldTokens): ProviderRequest[] {
  const { revocation } = setup.entry;
  if (revocation.kind === 'none') return [];
  if (revocation.kind === 'rfc7009' && !isComplete(revocation.endpoint, setup.values)) return [];
  if (revocation.kind === 'request') return ownRequests(setup, revocation, tokens);
  const held = { access_token: tokens.accessToken, refresh_token: tokens.refreshToken };
  return revocation.tokens.flatMap((hint) => {
    const token = held[hint];
    if (token === undefined || token === '') return [];
    // For each request anew: an assertion is taken once (RFC 7523 section 3).
    const client = clientProof(
      revocation.authentication === 'none' ? { ...setup, authentication: { method: 'none' } } : setup,
    );
    const { headers, body } = bodyOf('form', { token, token_type_hint: hint, ...client.fields });
    return [
      {
        ...renderUrl(setup.entry, revocation.endpoint, setup.values),
        method: 'POST' as const,
        headers: { accept: 'application/json', ...headers, ...client.headers },
        body,
      },
    ];
  });
}

/** Whether the provider's answer says that the token is no longer good. */
export function isRevoked(entry: ProviderEntry, answer: { readonly status: number; readonly body: string }): boolean {
  const { revocation } = entry;
  if (revocation.kind === 'none') return false;
  // RFC 7009 section 2.2: a token that is not valid is answered with 200 too.
  if (revocation.kind === 'rfc7009') return answer.status === 200 || answer.status === 204;
  if (!revocation.statuses.includes(answer.status)) return false;
  if (revocation.ok === undefined) return true;
  const document = documentOf(answer.body);
  if (atPointer(document, revocation.ok) === true) return true;
  return revocation.goneErrors.includes(textAt(document, entry.answer.error) ?? '');
}

function ownRequests(setup: ProviderSetup, revocation: OwnRevocation, tokens: HeldTokens): ProviderRequest[] {
  const held = { access_token: tokens.accessToken, refresh_token: tokens.refreshToken };
  return revocation.tokens.flatMap((which) => {
    const token = held[which];
    if (token === undefined || token === '') return [];
    return [ownRequest(setup, revocation, token, tokens.accessToken ?? '')];
  });
}

function ownRequest(
  setup: ProviderSetup,
  revocation: OwnRevocation,
  token: string,
  accessToken: string,
): ProviderRequest {
  const { clientId: client_id, authentication } = setup;
  const client_secret = 'secret' in authentication ? authentication.secret : '';
  const values = { token, client_id, client_secret };
  const filled = (text: string) =>
    text.replaceAll(/\{(token|client_id|client_secret)\}/g, (_all, name: keyof typeof values) => values[name]);
  const fields = Object.entries(revocation.body?.fields ?? {}).map(([name, value]) => [name, filled(value)] as const);
  const content = revocation.body && bodyOf(revocation.body.format, Object.fromEntries(fields));
  const proof: Record<string, string> =
    revocation.authentication === 'none'
      ? {}
      : {
          authorization:
            revocation.authentication === 'bearer'
              ? `Bearer ${accessToken}`
              : basicCredentials(client_id, client_secret),
        };
  const template = revocation.url.replaceAll('{client_id}', encodeURIComponent(client_id));
  return {
    ...renderUrl(setup.entry, template, setup.values),
    method: revocation.method,
    headers: { accept: 'application/json', ...lowerCase(revocation.headers), ...content?.headers, ...proof },
    ...(content === undefined ? {} : { body: content.body }),
  };
}
