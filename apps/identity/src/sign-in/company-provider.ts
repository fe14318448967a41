import type { Vouched, Welcome } from './people.store.js';

/** What is the same of every provider of the company's, whatever it speaks. */
export interface ProviderTraits extends Welcome {
  /** In addresses and records; people are known by it. */
  readonly id: string;
  /** On the button, and in sentences to a person. */
  readonly name: string;
  /** Domains of the addresses of its people, in lower case. */
  readonly emailDomains: readonly string[];
}

/** What only we know of one attempt; kept sealed here while the person is at the provider. */
export type AttemptSecrets = Readonly<Record<string, string>>;

/** What the browser brought back from the provider. */
export interface Answer {
  /** Of the address it came to, with its question mark. */
  readonly query: string;
  readonly state: string;
  /** What the provider's page had it post before that, where the provider answers so; unverified. */
  readonly posted: string | undefined;
}

/** How a provider answers that has the browser post the answer. */
export interface PostedAnswers {
  /** Bytes of a form at most. */
  readonly bytesMax: number;
  /** What the form holds; nothing of it is verified yet. */
  read(form: URLSearchParams): { state: string; answer: string };
}

/**
 * A provider of the company's at which people sign in. Which protocol it speaks is its own affair: `secrets`, then
 * `address` to leave, then `vouched` on coming back.
 */
export interface CompanyProvider {
  readonly provider: ProviderTraits;
  /** Secrets of a new attempt. */
  secrets(): AttemptSecrets;
  /** Where the browser is sent. @throws whatever keeps the provider away */
  address(state: string, secrets: AttemptSecrets, loginHint?: string): Promise<string>;
  /**
   * Whom the provider vouches for.
   * @throws whatever is wrong with the answer, or keeps the provider away
   */
  vouched(answer: Answer, secrets: AttemptSecrets): Promise<Vouched>;
  /** Where its answers are posted; absent, the browser brings them in the address. */
  readonly postedAnswers?: PostedAnswers;
  /**
   * Of whom a back-channel logout token says that they are signed out; absent where the provider has no such tokens.
   * @throws whatever is wrong with the token, or keeps the provider away
   */
  loggedOut?(token: string): Promise<{ subject: string; tokenId: string }>;
}
