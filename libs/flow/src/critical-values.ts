/**
 * Values that say where something goes or what is acted upon: addresses, hosts, accounts, numbers, ids, paths.
 * They are what an injected instruction must bring along, whatever its words are. Every expression here is linear: each
 * repetition has a bound, and no two neighbours take the same characters.
 */

/** `kind:value`, folded so that two ways of writing one value are the same. */
export type CriticalValue = string;

/** Characters of one string that are looked at; what is longer says so by `isCut`. */
export const LEAF_CHARS_MAX = 65_536;

/** It begins at its `@`: begun at each letter that may stand before one, a long text would be read 64 times. */
const EMAIL = /(?<=([\w.%+-]{1,64}))@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){1,126}/gi;
const HOST = /(?<![\w@.-])(?:[a-z\d_-]{1,63}\.){1,126}[a-z]{2,24}(?![\w@])/gi;
const ADDRESS = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g;
const ACCOUNT = /(?<![A-Za-z\d])[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,4})?(?![A-Za-z\d])/g;
const ACCOUNT_LOWER = /^[a-z]{2}\d{2}[a-z\d]{9,30}$/;
const NUMBER = /(?<![\w.])[+(]?\d(?:[ ().-]{0,2}\d){5,18}(?!\w)/g;
const ID = /(?<![\w-])(?=[\w-]{0,63}\d)(?=[\w-]{0,63}[A-Za-z])[A-Za-z\d][\w-]{4,63}(?![\w-])/g;
const PATH = /(?<![\w/:])(?:[A-Za-z]:\\|~?\/|\.{1,2}\/)[\w.@-]{1,100}(?:[\\/][\w.@-]{1,100}){0,20}/g;
const HANDLE = /(?<!\w)[@#][A-Za-z][\w.-]{1,40}/g;
/** Calendar dates and times: they are in every answer and direct nothing. */
const DATE = /^(?:19|20)\d{2}[ ./-]?[01]?\d[ ./-]?[0-3]?\d(?:[ T-]?[0-2]?\d){0,6}$/;
const ORDINAL = /^\d{1,4}(?:st|nd|rd|th|am|pm|px|ms|kb|mb|gb|min|hour|hours|day|days|usd|eur)$/i;

/**
 * The critical values of one string, each once, in no particular order.
 * @param text - at most `LEAF_CHARS_MAX` characters of it are looked at
 */
export function criticalValues(text: string): Set<CriticalValue> {
  const found = new Set<CriticalValue>();
  const looked = text.length > LEAF_CHARS_MAX ? text.slice(0, LEAF_CHARS_MAX) : text;
  // Most arguments are a word or two: without one of these characters nothing below can match.
  if (!/[\d.@#/\\]/.test(looked)) return found;
  if (looked.includes('@'))
    for (const [host, name] of looked.matchAll(EMAIL)) found.add(`email:${name}${host}`.toLowerCase());
  if (looked.includes('.')) {
    for (const [host] of looked.matchAll(HOST)) found.add(`host:${foldHost(host)}`);
    for (const [address] of looked.matchAll(ADDRESS)) found.add(`host:${address}`);
  }
  if (/\d/.test(looked)) withDigits(looked, found);
  if (/[/\\]/.test(looked)) for (const [path] of looked.matchAll(PATH)) found.add(`path:${path.replaceAll('\\', '/')}`);
  if (/[@#]/.test(looked)) for (const [handle] of looked.matchAll(HANDLE)) found.add(`handle:${handle.toLowerCase()}`);
  return found;
}

function withDigits(text: string, found: Set<CriticalValue>): void {
  for (const [account] of text.matchAll(ACCOUNT)) found.add(`account:${account.replaceAll(' ', '').toUpperCase()}`);
  for (const [number] of text.matchAll(NUMBER)) {
    if (!DATE.test(number)) found.add(`number:${number.replaceAll(/\D/g, '')}`);
  }
  for (const [id] of text.matchAll(ID)) {
    if (DATE.test(id) || ORDINAL.test(id)) continue;
    const lower = id.toLowerCase();
    found.add(ACCOUNT_LOWER.test(lower) ? `account:${lower.toUpperCase()}` : `id:${lower}`);
  }
}

function foldHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.startsWith('www.') ? lower.slice(4) : lower;
}
