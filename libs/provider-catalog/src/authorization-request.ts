import type { ProviderSetup } from './provider-setup.js';
import { isComplete, renderText, renderUrl } from './url-template.js';

/** What one person's consent is asked for with. */
export interface Consent {
  readonly redirectUri: string;
  /** Single use, bound to the person's browser. */
  readonly state: string;
  /** Beside the required ones; the entry's own defaults where none are named. */
  readonly scopes?: readonly string[];
  /** S256 of the verifier (RFC 7636); sent only to a provider that documents PKCE. */
  readonly codeChallenge: string;
}

/** The scopes that are asked for: required ones first, each once. */
export function scopesOf({ entry }: Pick<ProviderSetup, 'entry'>, wanted?: readonly string[]): string[] {
  return [...new Set([...entry.scopes.required, ...(wanted ?? entry.scopes.default)])];
}

/**
 * Where the person's browser is sent (RFC 6749 section 4.1.1). Parameters of the entry never replace those of the
 * request itself.
 */
export function authorizationUrl(setup: ProviderSetup, consent: Consent): URL {
  const { entry } = setup;
  const { url } = renderUrl(entry, entry.authorization.endpoint, setup.values);
  const scope = scopesOf(setup, consent.scopes).join(entry.scopes.separator);
  const parameters = {
    ...entry.authorization.parameters,
    response_type: 'code',
    client_id: setup.clientId,
    redirect_uri: consent.redirectUri,
    state: consent.state,
    ...(scope === '' ? {} : { [entry.scopes.parameter]: scope }),
    ...(entry.authorization.pkce === 'none'
      ? {}
      : { code_challenge: consent.codeChallenge, code_challenge_method: entry.authorization.pkce }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

/**
 * Whether an authorization answer is of the provider that was asked: one that names another issuer is of a mix-up, and so
 * is one without a name where the provider names itself always.
 * @see RFC 9207 section 2.4
 */
export function isAnswerOf(
  { entry, values }: Pick<ProviderSetup, 'entry' | 'values'>,
  iss: string | null | undefined,
): boolean {
  const issuer = issuerOf({ entry, values });
  if (iss == null) return issuer === undefined || !entry.authorization.answersNameIssuer;
  return issuer === undefined || iss === issuer;
}

/** The issuer that answers name, to the byte; undefined where nobody says which it is. */
export function issuerOf({ entry, values }: Pick<ProviderSetup, 'entry' | 'values'>): string | undefined {
  const { issuer } = entry.authorization;
  return issuer === undefined || !isComplete(issuer, values) ? undefined : renderText(issuer, values);
}
