import { textAt } from './json-pointer.js';
import { type ProviderRequest, type ProviderSetup } from './provider-setup.js';
import type { GrantedTokens } from './token-answer.js';
import { lowerCase } from './token-request.js';
import { renderUrl } from './url-template.js';

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
  if (account.from !== 'request') return undefined;
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
  let document: unknown;
  try {
    document = JSON.parse(answer.body);
  } catch {
    return undefined;
  }
  const id = textAt(document, account.id);
  return id === undefined ? undefined : { id, name: textAt(document, account.name) ?? id };
}

/** The account that the token answer names itself. */
export function accountOf(tokens: GrantedTokens): ProviderAccount | undefined {
  const { accountId: id, accountName } = tokens;
  return id === undefined ? undefined : { id, name: accountName ?? id };
}
