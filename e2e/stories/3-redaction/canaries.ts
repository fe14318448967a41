import { randomInt } from 'node:crypto';
import type { FixtureLeak } from '@warder/testing';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CANARIES_MAX = 1_000;

const word = (length: number) => Array.from({ length }, () => BASE32[randomInt(32)]).join('');
const digits = (length: number) => Array.from({ length }, () => String(randomInt(10))).join('');
const byFours = (number: string, by: string) => (number.match(/.{1,4}/g) ?? []).join(by);

/**
 * Secrets and card numbers that detectors take for real, no two alike. Those of one run share marks that nothing else
 * on the machine holds, so that one search finds all of them, and halves of them too.
 */
export class Canaries {
  private readonly head = `AKIA${word(8)}`;
  private readonly tail = word(6);
  private readonly cardHead = `4${digits(9)}`;
  private readonly tokens: string[] = [];
  private made = 0;

  /** A new pair. */
  leak(): FixtureLeak {
    const at = this.made++;
    if (at >= CANARIES_MAX) throw new RangeError('no more canaries');
    const key = this.head + BASE32[at >> 5]! + BASE32[at & 31]! + this.tail;
    const body = `${this.cardHead}${String(at).padStart(3, '0')}00`;
    return { key, card: byFours(body + checkDigit(body), ' ') };
  }

  /** Also looks for this one. */
  watch(token: string): void {
    this.tokens.push(token);
  }

  /** Texts of which none may rest anywhere. */
  get marks(): readonly string[] {
    const { head, tail, cardHead } = this;
    const cards = [
      cardHead,
      byFours(cardHead, ' '),
      byFours(cardHead, '-'),
      `card ${byFours(cardHead, ' ').slice(0, 7)}`,
    ];
    return [head, tail, ...cards, ...this.tokens];
  }

  isIn(text: string): boolean {
    return this.marks.some((mark) => text.includes(mark));
  }
}

/** @see ISO/IEC 7812-1 annex B */
function checkDigit(body: string): string {
  let sum = 0;
  for (let at = 0; at < body.length; at += 1) {
    const digit = Number(body.at(-1 - at));
    const weighed = at % 2 === 0 ? 2 * digit : digit;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return String((10 - (sum % 10)) % 10);
}
