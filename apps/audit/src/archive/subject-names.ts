import type { PersonalPart } from '@warder/contracts';

/** Addresses and names of one person that are looked for at most. */
export const NAMES_MAX = 32;
const CHARACTERS_MAX = 320;
/** A shorter one is a word that stands in records for itself. */
const NAME_CHARACTERS_MIN = 5;

/** What a person is called in records. */
export interface Subject {
  /** Id of the principal. */
  readonly id: string;
  /** E-mail addresses and names, from records of the person and of what was done to it. */
  readonly knownAs: readonly string[];
}

/** A part of a record that tells how a person is called. */
export interface Called {
  readonly name?: unknown;
  readonly email?: unknown;
}

const isAddress = (text: string): boolean => text.includes('@');
/** What the store and identity make, which is never a word of a language. */
const isMadeId = (id: string): boolean => /^[a-z]{3}_./.test(id);

/**
 * Addresses and names that can be looked for, each once. A name of one word is not: it is as likely a role, a team or
 * another person, and an erasure takes whole records.
 */
export function knownAs(called: Iterable<Called>): string[] {
  const found = new Set<string>();
  for (const { name, email } of called) {
    if (typeof email === 'string' && isAddress(email)) found.add(email.trim());
    if (typeof name !== 'string') continue;
    const whole = name.trim();
    if (whole.length >= NAME_CHARACTERS_MIN && /\S\s+\S/.test(whole)) found.add(whole);
  }
  return [...found].filter(({ length }) => length <= CHARACTERS_MAX).slice(0, NAMES_MAX);
}

/**
 * Texts of which a record holds one, in any case of letters, where it names the subject: as they stand in JSON, and as they
 * stand in a path or query. What holds one need not name the subject, which `isNamedIn` tells.
 */
export function needlesOf({ id, knownAs: others }: Subject): readonly string[] {
  const words = [...others, ...(isMadeId(id) ? [id] : [])];
  const variants = words.flatMap((word) => {
    const inPath = encodeURIComponent(word);
    return [inJson(word), inPath, inPath.replaceAll('%20', '+')];
  });
  return [...new Set(isMadeId(id) ? variants : [...variants, `"${inJson(id)}"`])];
}

/**
 * Whether a personal part, as JSON text, says something of the subject: a text in it is the id, or holds the id, an address or a name
 * as a whole word in any case of letters, plain or percent-encoded.
 */
export function isNamedIn(personal: string, subject: Subject): boolean {
  const lower = personal.toLowerCase();
  if (!needlesOf(subject).some((needle) => lower.includes(needle.toLowerCase()))) return false;
  const patterns = patternsOf(subject);
  const isNaming = (text: string): boolean =>
    text === subject.id || variantsOf(text).some((variant) => patterns.some((pattern) => pattern.test(variant)));
  // Not who acted and with which token: somebody else may bear the name.
  const { arguments: asked, refusalDetail, result, claimed } = (JSON.parse(personal) ?? {}) as Partial<PersonalPart>;
  // A stack of its own: how deep a value is decides whoever wrote it.
  const left: unknown[] = [asked, refusalDetail, result, claimed];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === 'string' && isNaming(value)) return true;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, member] of Object.entries(value)) {
      if (isNaming(key)) return true;
      left.push(member);
    }
  }
  return false;
}

function patternsOf({ id, knownAs: others }: Subject): RegExp[] {
  const patterns = others.map((word) =>
    isAddress(word)
      ? // Neither the end of a longer address nor its beginning.
        new RegExp(`(?<![\\p{L}\\p{N}_.+%-])${escaped(word)}(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}])`, 'iu')
      : new RegExp(`(?<![\\p{L}\\p{N}_])${escaped(word)}(?![\\p{L}\\p{N}_])`, 'iu'),
  );
  return isMadeId(id) ? [...patterns, new RegExp(`(?<![\\w-])${escaped(id)}(?![\\w-])`, 'iu')] : patterns;
}

function variantsOf(text: string): string[] {
  const variants = [text, text.replaceAll('+', ' ')];
  try {
    return [...variants, ...variants.map((variant) => decodeURIComponent(variant))];
  } catch {
    return variants;
  }
}

function escaped(word: string): string {
  return word.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function inJson(word: string): string {
  return JSON.stringify(word).slice(1, -1);
}
