import { atPointer, documentOf, textAt } from './json-pointer.js';
import { type ProviderRequest, type ProviderSetup } from './provider-setup.js';
import type { GrantedTokens } from './token-answer.js';
import { lowerCase } from './token-request.js';
import { isComplete, renderUrl } from './url-template.js';

/** Whose account a connection is, as the provider says. */
export interface ProviderAccount {
  readonly id: string;
  readonly name: string;
}

/** The headers that a call carries in place of a credential of the caller's. */
export function credentialHeaders(
  { entry }: Pick<ProviderSetup, 'entry'>,
  accessToken: string,
): Record<string, string> {
  const filled = Object.entries(entry.credential.headers).map(([name, value]) => [
    name,
    value.replaceAll('{access_token}', () => accessToken),
  ]);
  return lowerCase(Object.fromEntries(filled) as Record<string, string>);
}

/** The request that says whose the token is; none where the token answer says it, or nothing does. */
export function accountRequest(setup: ProviderSetup, accessToken: string): ProviderRequest | undefined {
  const { account } = setup.entry;
  if (account.from !== 'request' || !isComplete(account.url, setup.values)) return undefined;
  const content =
    account.json === undefined
      ? undefined
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(account.json) };
  return {
    ...renderUrl(setup.entry, account.url, setup.values),
    method: account.method,
    headers: {
      accept: 'application/json',
      ...lowerCase(account.headers),
      ...content?.headers,
      ...credentialHeaders(setup, accessToken),
    },
    ...(content === undefined ? {} : { body: content.body }),
  };
}

/** The account of an answer to `accountRequest`; none where the answer does not name one. */
export function readAccount(
  { entry }: Pick<ProviderSetup, 'entry'>,
  answer: { readonly status: number; readonly body: string },
): ProviderAccount | undefined {
  const { account } = entry;
  if (account.from !== 'request' || answer.status !== 200) return undefined;
  const document = documentOf(answer.body);
  return accountFrom(textAt(document, account.id), textAt(document, account.name));
}

/**
 * The account that the token answer names itself, in its fields or in its id_token. The token's signature adds nothing
 * here: it came over TLS from the token endpoint itself (OpenID Connect Core section 3.1.3.7); that it is for our client
 * is looked at.
 */
export function accountOf(
  setup: Pick<ProviderSetup, 'entry' | 'clientId'>,
  tokens: GrantedTokens,
): ProviderAccount | undefined {
  const { account } = setup.entry;
  if (account.from === 'token-answer') return accountFrom(tokens.accountId, tokens.accountName);
  if (account.from !== 'id-token' || tokens.idToken === undefined) return undefined;
  const claims = claimsOf(tokens.idToken);
  const audience = atPointer(claims, '/aud');
  if (![audience].flat().includes(setup.clientId)) return undefined;
  return accountFrom(textAt(claims, account.id), textAt(claims, account.name));
}

function accountFrom(id: string | undefined, name: string | undefined): ProviderAccount | undefined {
  return id === undefined ? undefined : { id, name: name ?? id };
}

function claimsOf(idToken: string): unknown {
  return documentOf(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
