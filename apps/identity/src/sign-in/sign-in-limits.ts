import { Buckets, type Rate } from '@warder/limits';
import { PageRefusal } from '@warder/pages';
import { addressKey } from '@warder/service-host';
import type { SignInConfig } from './sign-in-config.js';

/** Addresses, and e-mail addresses, that are counted. */
const KEYS_MAX = 50_000;
const TOO_MANY = 'Too many attempts. Wait a minute and try again.';

/** How often an address may come to the pages of signing in, and an e-mail address be guessed at. */
export class SignInLimits {
  private readonly attempts = new Buckets(KEYS_MAX);
  private readonly returns = new Buckets(KEYS_MAX);
  private readonly refused = new Buckets(KEYS_MAX);
  private readonly guesses = new Buckets(KEYS_MAX);
  private readonly perAddress: Rate;
  private readonly perEmail: Rate;

  constructor(
    { attemptsPerMinute, guessesPerHour }: Pick<SignInConfig, 'attemptsPerMinute' | 'guessesPerHour'>,
    private readonly monotonicMs: () => number,
  ) {
    this.perAddress = { emissionMs: 60_000 / attemptsPerMinute, burst: attemptsPerMinute };
    this.perEmail = { emissionMs: 3_600_000 / guessesPerHour, burst: guessesPerHour };
  }

  /** Takes one form of the address. @throws PageRefusal 429 WDR_SIGN_IN_RATE_LIMITED */
  takeAttempt(address: string): void {
    this.take(this.attempts, addressKey(address), this.perAddress, TOO_MANY);
  }

  /**
   * Takes one return from a provider: it costs a question to the provider, or a signature. Counted beside the forms, for
   * each sign-in has one of both.
   * @throws PageRefusal 429 WDR_SIGN_IN_RATE_LIMITED
   */
  takeReturn(address: string): void {
    this.take(this.returns, addressKey(address), this.perAddress, TOO_MANY);
  }

  /** Takes one guess at the password of an e-mail address, whoever has it. @throws PageRefusal 429 WDR_SIGN_IN_RATE_LIMITED */
  takeGuess(email: string): void {
    const sentence = 'Too many attempts with this address. Wait some minutes and try again.';
    this.take(this.guesses, email.toLowerCase(), this.perEmail, sentence);
  }

  /**
   * Lets a message of sign-out through, unless its address has sent so many that were not taken. Of those that are, any
   * number: a provider tells of everybody who leaves from one address, and who is not heard of stays in.
   * @throws PageRefusal 429 WDR_SIGN_IN_RATE_LIMITED
   */
  ensureHeard(address: string): void {
    const waitMs = this.refused.waitMs(addressKey(address), this.perAddress, this.monotonicMs());
    if (waitMs > 0) throw tooMany('Too many messages that were not taken. Wait a minute.', waitMs);
  }

  /** Counts a message of sign-out that was not taken. */
  noteRefused(address: string): void {
    this.refused.take(addressKey(address), this.perAddress, this.monotonicMs());
  }

  private take(buckets: Buckets, key: string, rate: Rate, sentence: string): void {
    const left = buckets.take(key, rate, this.monotonicMs());
    if (left < 0) throw tooMany(sentence, -left);
  }
}

/** @param waitMs - until there may be one more */
export function tooMany(sentence: string, waitMs: number): PageRefusal {
  return new PageRefusal(429, 'WDR_SIGN_IN_RATE_LIMITED', sentence, waitMs);
}
