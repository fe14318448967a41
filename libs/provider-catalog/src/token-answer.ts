import { atPointer, documentOf, textAt } from './json-pointer.js';
import type { ProviderEntry } from './provider-entry.js';

/** Tokens as a provider gave them, in one shape. */
export interface GrantedTokens {
  readonly accessToken: string;
  /** Absent where the provider gave none: then the one of before stays good, if there was one. */
  readonly refreshToken?: string;
  /** When the access token ends, by the provider's word or else by the entry's; absent: when it is revoked. */
  readonly expiresAtMs?: number;
  readonly refreshExpiresAtMs?: number;
  /** As granted; absent where the answer does not say, which means as asked (RFC 6749 section 5.1). */
  readonly scopes?: readonly string[];
  readonly accountId?: string;
  readonly accountName?: string;
  /** As it came, of the first answer; `accountOf` reads it, and nobody keeps it. */
  readonly idToken?: string;
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * Why there are no tokens. `terminal`: this code or refresh token will never work; `client`: our client is refused, which
 * is everybody's trouble; `request`: the provider does not take the request as it is; `busy`: later.
 */
export interface TokenFailure {
  readonly kind: 'terminal' | 'client' | 'request' | 'busy';
  /** The provider's error code, cut to what a code may hold; never its description, which may hold anything. */
  readonly code: string;
}

export type TokenAnswer = { readonly tokens: GrantedTokens } | { readonly failure: TokenFailure };

/**
 * What the token endpoint's answer says. A failure is one whatever its status is: some providers send theirs with 200.
 * @param body - at most what `libs/egress` lets through; not JSON is a failure
 * @param nowMs - wall clock, at the time of the answer
 */
export function readTokenAnswer(
  entry: ProviderEntry,
  grant: 'first' | 'refresh',
  answer: { readonly status: number; readonly body: string },
  nowMs: number,
): TokenAnswer {
  const shape = grant === 'refresh' ? (entry.refreshAnswer ?? entry.answer) : entry.answer;
  const document = documentOf(answer.body);
  const error = textAt(document, shape.error);
  const isDenied = shape.ok !== undefined && atPointer(document, shape.ok) !== true;
  const accessToken = textAt(document, shape.accessToken);
  if (answer.status !== 200 && answer.status !== 201) return { failure: failureOf(entry, answer.status, error) };
  // A success that says `error` is none, whatever else it holds.
  if (isDenied || error !== undefined || accessToken === undefined)
    return { failure: failureOf(entry, 400, error ?? 'no_access_token') };
  return { tokens: { accessToken, ...optionalsOf(entry, shape, document, nowMs) } };
}

function optionalsOf(
  entry: ProviderEntry,
  shape: ProviderEntry['answer'],
  document: unknown,
  nowMs: number,
): Omit<GrantedTokens, 'accessToken'> {
  const lifetime = secondsAt(document, shape.expiresIn) ?? entry.lifetimes.accessSeconds ?? undefined;
  const refreshLifetime = secondsAt(document, shape.refreshExpiresIn);
  const scope = textAt(document, shape.scope);
  const facts = Object.entries(shape.facts).flatMap(([name, pointer]) => {
    const fact = textAt(document, pointer);
    return fact === undefined ? [] : [[name, fact] as const];
  });
  return {
    ...given('refreshToken', textAt(document, shape.refreshToken)),
    ...given('expiresAtMs', lifetime === undefined ? undefined : nowMs + lifetime * 1_000),
    ...given('refreshExpiresAtMs', refreshLifetime === undefined ? undefined : nowMs + refreshLifetime * 1_000),
    ...given(
      'scopes',
      scope?.split(/[\s,]+/).filter((each) => each !== ''),
    ),
    ...given('accountId', textAt(document, shape.accountId)),
    ...given('accountName', textAt(document, shape.accountName)),
    ...given('idToken', textAt(document, '/id_token')),
    facts: Object.fromEntries(facts),
  };
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [key in Key]: Value });
}

/** Seconds as a number or as digits: some providers send text. Zero is a lifetime too, and an odd one is none. */
function secondsAt(document: unknown, pointer: string | undefined): number | undefined {
  const text = textAt(document, pointer);
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function failureOf(entry: ProviderEntry, status: number, error: string | undefined): TokenFailure {
  const code = error !== undefined && /^[\w.-]{1,80}$/.test(error) ? error : `status_${status}`;
  return { kind: kindOf(entry, status, code), code };
}

function kindOf(entry: ProviderEntry, status: number, code: string): TokenFailure['kind'] {
  const { terminalErrors, clientErrors } = entry.refresh;
  if (code === 'invalid_grant' || terminalErrors.includes(code)) return 'terminal';
  if (['invalid_client', 'unauthorized_client', ...clientErrors].includes(code)) return 'client';
  if (status === 429 || status >= 500 || code === 'temporarily_unavailable' || code === 'server_error') return 'busy';
  return status === 401 || status === 403 ? 'client' : 'request';
}
