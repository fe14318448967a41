import type { ProviderDirection, SightingKind } from '@warder/contracts';

/** What a provider is asked about: one text of one direction of one call. */
export interface Asked {
  readonly callId: string;
  /** Canonical, `upstream/tool`. */
  readonly tool: string;
  readonly virtualServer: string;
  readonly direction: ProviderDirection;
  readonly text: string;
}

/** One thing that a provider saw in the text. */
export interface Sighting {
  readonly kind: SightingKind;
  /** The provider's own word, 64 of `A-Z a-z 0-9 _ -` at most. */
  readonly category: string;
  /** Where it stands, in UTF-16 units, `end` excluded; undefined where the provider says of the text as a whole. */
  readonly span?: { readonly start: number; readonly end: number };
}

/** A POST, ready to be sent. */
export interface ProviderPost {
  /** Path with query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Wall milliseconds and what must not repeat, handed in so that a request is a function of its arguments. */
export interface Moment {
  readonly wallMs: number;
  readonly nonce: string;
}

/** How one kind of provider is asked and understood: no I/O, no clock. */
export interface ProviderKind {
  readonly origin: URL;
  /** UTF-16 units of text in one request; longer texts go in pieces, asked about at the same time. */
  readonly charsMax: number;
  readonly needsSecret: boolean;
  /** Fetched for the secret before requests are made with it, where the secret itself is not what a request carries. */
  readonly token?: TokenExchange;
  /** @throws SecretUnusable where the secret has not the form that this kind needs */
  request(asked: Asked, secret: string, at: Moment): ProviderPost;
  /**
   * @param answer - parsed JSON of an answer with status 200
   * @throws AnswerMalformed for what is not an answer to this question: it is then no answer at all
   */
  read(answer: unknown, asked: Asked): readonly Sighting[];
}

/** A secret that is exchanged for tokens which are good for a while. */
export interface TokenExchange {
  readonly origin: URL;
  request(secret: string, at: Moment): ProviderPost;
  read(answer: unknown): { readonly token: string; readonly expiresInMs: number };
}

/** The provider answered something that is no answer. */
export class AnswerMalformed extends Error {
  override readonly name = 'AnswerMalformed';
}

/** The stored credential has another form than its provider takes; the message never repeats it. */
export class SecretUnusable extends Error {
  override readonly name = 'SecretUnusable';
}

const WORD = /^[A-Za-z0-9_-]{1,64}$/;

/** A provider's word for what it saw, made fit for records and ids: nothing of a text can stand in it. */
export function categoryOf(word: string): string {
  const plain = word.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 64);
  if (!WORD.test(plain)) throw new AnswerMalformed('a category without a letter');
  return plain;
}
