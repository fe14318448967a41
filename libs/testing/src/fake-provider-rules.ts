import type { FakeAnswer } from './fake-receiver.js';

/** Tokens as a fake provider gave them. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** Absent where the provider gives none, or none with a refresh. */
  readonly refreshToken: string | undefined;
  readonly scopes: readonly string[];
  readonly grant: 'first' | 'refresh';
}

/**
 * What the documents of one provider say, as a server would hold a client to it. It is written beside the catalogue's
 * entry and not from it, so that each is a test of the other. Addresses are whole URLs without a query.
 */
export interface FakeProviderRules {
  readonly authorize: {
    readonly at: string;
    /** `demanded` where the provider documents PKCE, for then it is used; otherwise it is not known, and `refused`. */
    readonly pkce: 'demanded' | 'refused';
    readonly scopes: { readonly parameter: string; readonly separator: ' ' | ','; readonly taken: readonly string[] };
    readonly parameters: Readonly<Record<string, string>>;
  };
  readonly token: {
    readonly at: string;
    readonly body: 'form' | 'json';
    readonly authentication: 'basic' | 'post';
    readonly headers?: Readonly<Record<string, string>>;
    readonly refreshNamesRedirect?: boolean;
    readonly answer: (issued: IssuedTokens) => unknown;
    readonly failure: (why: 'code' | 'refresh' | 'client') => FakeAnswer;
  };
  readonly refresh: {
    readonly gives: 'no-refresh-token' | 'access-only' | 'new-pair' | 'new-pair-and-kills-access';
    /** Milliseconds for which a used refresh token is taken again. */
    readonly toleranceMs: number;
  };
  /** How tokens are exchanged: by RFC 8693, or as Microsoft has it; what else stands in the request beside the scope. */
  readonly exchange?: {
    readonly grant: string;
    readonly subject: string;
    readonly fields: Readonly<Record<string, string>>;
  };
  readonly account?: {
    readonly at: string;
    readonly method: 'GET' | 'POST';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly answer: unknown;
  };
  readonly revoke?: {
    readonly at: string;
    readonly method: 'POST' | 'DELETE';
    readonly proof: 'basic' | 'post' | 'bearer' | 'none';
    /** Absent: the token is the bearer. */
    readonly body?: { readonly format: 'form' | 'json'; readonly field: string };
    readonly headers?: Readonly<Record<string, string>>;
    /** One token revoked ends the other one too. */
    readonly endsBoth: boolean;
    readonly answer: (wasGood: boolean) => FakeAnswer;
  };
  /** Headers of a call beside the bearer. */
  readonly callHeaders?: Readonly<Record<string, string>>;
}
