import type { ClientAuthenticationMethod, ProviderEntry } from './provider-entry.js';

/** A provider as somebody set it up: its entry, the values of its parameters, and our client there. */
export interface ProviderSetup {
  readonly entry: ProviderEntry;
  /** Of `parameterValues`. */
  readonly values: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly authentication: ProviderClientAuthentication;
}

/** How our client proves itself; each request gets an assertion of its own (RFC 7523 section 3) from who holds the key. */
export type ProviderClientAuthentication =
  | { readonly method: Extract<ClientAuthenticationMethod, `client_secret_${string}`>; readonly secret: string }
  | { readonly method: 'private_key_jwt'; readonly assertion: () => string }
  | { readonly method: 'none' };

/** A request that is ready to be sent through `libs/egress`, without following redirects. */
export interface ProviderRequest {
  readonly url: URL;
  /** Only what an operator named may be a private address. */
  readonly namedBy: 'catalogue' | 'operator';
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `Basic` credentials as RFC 6749 section 2.3.1 has them: both parts are form-encoded first. */
export function basicCredentials(clientId: string, secret: string): string {
  const encoded = (part: string) => new URLSearchParams({ '': part }).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(secret)}`).toString('base64')}`;
}

/** A body, and the header that says what it is. */
export function bodyOf(
  format: 'form' | 'json',
  fields: Readonly<Record<string, string>>,
): { readonly headers: Record<string, string>; readonly body: string } {
  return format === 'json'
    ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }
    : {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      };
}
