import type { SignedInThere, Welcome } from './people.store.js';

/** What is the same of every provider of the company's, whatever it speaks. */
export interface ProviderTraits extends Welcome {
  /** In addresses and records; people are known by it. */
  readonly id: string;
  /** On the button, and in sentences to a person. */
  readonly name: string;
  /** Domains of the addresses of its people, in lower case. */
  readonly emailDomains: readonly string[];
  /** By how much its clock may differ; undefined where its configuration has no word for it. */
  readonly clockSkewSeconds?: number | undefined;
}

/** What only we know of one attempt; kept sealed here while the person is at the provider. */
export type AttemptSecrets = Readonly<Record<string, string>> & {
  /** Since when the person has to have said who they are, wall milliseconds: absent, any sign-in there will do. */
  readonly freshSinceMs?: string;
};

/** What the browser brought back from the provider. */
export interface Answer {
  /** Of the address it came to, with its question mark. */
  readonly query: string;
  readonly state: string;
  /** What the provider's page had it post before that, where the provider answers so; unverified. */
  readonly posted: string | undefined;
}

/** How a provider answers that has the browser post the answer, from a page of its own. */
export interface PostedAnswers {
  /** Bytes of a form at most. */
  readonly bytesMax: number;
  /** Whether people may begin at the provider: who posts what nobody here asked for is sent to begin here. */
  readonly areWelcomeUnasked: boolean;
  /** What the form holds; nothing of it is verified yet. */
  read(form: URLSearchParams): { state: string; answer: string };
}

/** That the provider wants somebody signed out, as a browser or the provider itself brought it. */
export interface BroughtLogout {
  readonly method: 'GET' | 'POST';
  /** Of the address, without its question mark and as it was sent, for a signature may be over it. */
  readonly query: string;
  readonly form: URLSearchParams | undefined;
}

/** Somebody whom the provider signed out. */
export interface LoggedOut {
  readonly subject: string;
  /** To be acted upon once. */
  readonly messageId: string;
  /** Where the provider wants to be told that it was done; undefined: nowhere. */
  answer(): Promise<string | undefined>;
}

/**
 * A provider of the company's at which people sign in. Which protocol it speaks is its own affair: `secrets`, then
 * `address` to leave, then `vouched` on coming back.
 */
export interface CompanyProvider {
  readonly provider: ProviderTraits;
  /** Secrets of a new attempt. */
  secrets(): AttemptSecrets;
  /** Where the browser is sent; with `freshSinceMs`, to be asked there anew who it is. @throws whatever keeps the provider away */
  address(state: string, secrets: AttemptSecrets, loginHint?: string): Promise<string>;
  /**
   * Whom the provider vouches for.
   * @throws whatever is wrong with the answer, or keeps the provider away
   */
  vouched(answer: Answer, secrets: AttemptSecrets): Promise<SignedInThere>;
  /** Where its answers are posted; absent, the browser brings them in the address. */
  readonly postedAnswers?: PostedAnswers;
  /**
   * Of whom a back-channel logout token says that they are signed out; absent where the provider has no such tokens.
   * @throws whatever is wrong with the token, or keeps the provider away
   */
  loggedOut?(token: string): Promise<{ subject: string; tokenId: string }>;
  /**
   * Reads what asks to sign somebody out; absent where the provider does not send browsers for that.
   * @throws whatever is wrong with it
   */
  loggedOutBy?(brought: BroughtLogout): Promise<LoggedOut>;
  /** What the provider is told of us, as a document at `/sign-in/metadata/<id>`; absent where there is none. */
  readonly metadata?: { readonly type: string; readonly text: string };
}
