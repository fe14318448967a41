import { createHash } from 'node:crypto';
import { FakeProvider, type SentToFake } from '@warder/testing';
import { accountOf, accountRequest, type ProviderAccount, readAccount } from './account.js';
import { authorizationUrl } from './authorization-request.js';
import type { ProviderEntry } from './provider-entry.js';
import type { DOCUMENTED } from './provider-rules.scene.js';
import type { ProviderSetup } from './provider-setup.js';
import { type GrantedTokens, readTokenAnswer, type TokenFailure } from './token-answer.js';
import { codeRequest, exchangeRequest, refreshRequest } from './token-request.js';
import { parameterValues } from './url-template.js';

type Documented = (typeof DOCUMENTED)[string];

const REDIRECT_URI = 'https://warder.example/connections/callback';
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const START_MS = Date.UTC(2026, 10, 29);

/** One person's connection by an entry, made at a fake provider that holds it to what the provider documents. */
export class ContractRun {
  nowMs = START_MS;
  readonly fake: FakeProvider;
  readonly setup: ProviderSetup;

  constructor(
    entry: ProviderEntry,
    private readonly documented: Documented,
    secret = 'client-secret-1',
  ) {
    const { rules, parameters = {} } = documented;
    this.fake = new FakeProvider(rules, {
      clientId: 'client-1',
      clientSecret: 'client-secret-1',
      redirectUri: REDIRECT_URI,
      nowMs: () => this.nowMs,
    });
    const method = rules.token.authentication === 'basic' ? 'client_secret_basic' : 'client_secret_post';
    if (!entry.token.authentication.includes(method)) throw new Error(`${entry.id} does not know ${method}`);
    const values = parameterValues(entry, parameters);
    this.setup = { entry, values, clientId: 'client-1', authentication: { method, secret } };
  }

  /** The consent of a person who agrees, as the code that the callback gets. */
  async consent(): Promise<string> {
    const { asks } = this.documented;
    const url = authorizationUrl(this.setup, {
      redirectUri: REDIRECT_URI,
      state: 'state-1',
      codeChallenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      ...(asks === undefined ? {} : { scopes: asks }),
    });
    const answer = await this.send({ url, method: 'GET', headers: {} });
    const back = new URL(answer.location ?? 'about:blank');
    if (back.searchParams.get('state') !== 'state-1') throw new Error('the consent did not come back');
    return back.searchParams.get('code') ?? '';
  }

  async exchange(code: string): Promise<GrantedTokens | TokenFailure> {
    const request = codeRequest(this.setup, { code, redirectUri: REDIRECT_URI, codeVerifier: VERIFIER });
    return this.tokens('first', request);
  }

  async refresh(refreshToken: string): Promise<GrantedTokens | TokenFailure> {
    return this.tokens('refresh', refreshRequest(this.setup, refreshToken, REDIRECT_URI));
  }

  async exchangeFor(subjectToken: string, scopes: readonly string[]): Promise<GrantedTokens | TokenFailure> {
    return this.tokens('first', exchangeRequest(this.setup, { subjectToken, scopes }));
  }

  async connect(): Promise<GrantedTokens> {
    return granted(await this.exchange(await this.consent()));
  }

  async account(tokens: GrantedTokens): Promise<ProviderAccount | undefined> {
    const request = accountRequest(this.setup, tokens.accessToken);
    return request === undefined ? accountOf(this.setup, tokens) : readAccount(this.setup, await this.send(request));
  }

  /** @throws what is not as the provider documents it */
  async send(request: SentToFake): Promise<{ status: number; body: string; location?: string }> {
    const answer = await this.fake.send(request);
    if (answer.status === 418) throw new Error(answer.body);
    return answer;
  }

  private async tokens(grant: 'first' | 'refresh', request: SentToFake): Promise<GrantedTokens | TokenFailure> {
    const answer = readTokenAnswer(this.setup.entry, grant, await this.send(request), this.nowMs);
    return 'tokens' in answer ? answer.tokens : answer.failure;
  }
}

/** Tokens where tokens are expected. */
export function granted(answer: GrantedTokens | TokenFailure): GrantedTokens {
  if ('kind' in answer) throw new Error(`no tokens: ${answer.kind}, ${answer.code}`);
  return answer;
}
