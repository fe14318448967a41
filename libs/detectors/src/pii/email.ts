import type { SignDetector, Span } from '../detector.js';
import { isLetterOrDigit } from './characters.js';

const LOCAL_CHARS_MAX = 64;
const DOMAIN_CHARS_MAX = 253;
/** What stands behind an `@` in the names of files (`logo@2x.png`) and is no top-level domain. */
const FILE_ENDINGS = new Set(['png', 'jpg', 'jpeg', 'gif', 'svg', 'webp', 'css', 'js', 'ts', 'json', 'html']);

/** Mailboxes that nobody reads, and the names that documents give to nobody in particular. */
const NOBODY =
  /^(?:no-?reply|do-?not-?reply)@|^(?:user|username|admin|name|you|your[._-]?(?:name|e?mail)|someone|somebody|email)@example\.(?:com|org|net)$/i;
/** A field of a log line (`contact=ana@acme.com`) is no part of the address. */
const FIELD = /^[A-Za-z_]{1,32}=(?=[A-Za-z0-9])/;

const isLocal = (code: number): boolean =>
  isLetterOrDigit(code) || '.!#$%&*+/=?^_`{|}~-'.includes(String.fromCharCode(code));
const isDomain = (code: number): boolean => isLetterOrDigit(code) || code === 45 || code === 46;

export const EMAIL: SignDetector = {
  id: 'pii.email',
  category: 'pii',
  what: 'E-mail address',
  fires: ['ana@example.com'],
  passes: ['noreply@github.com', 'user@example.com', 'git@github.com:owner/name.git', 'logo@2x.png', 'a @ b.com'],
  trigger: 'at-sign',
  matchAt(text: string, at: number): Span | undefined {
    let start = at;
    while (start > 0 && at - start < LOCAL_CHARS_MAX && isLocal(text.charCodeAt(start - 1))) start -= 1;
    while (start < at && !isLetterOrDigit(text.charCodeAt(start))) start += 1;
    start += FIELD.exec(text.slice(start, at))?.[0].length ?? 0;
    if (start === at || text.charCodeAt(at - 1) === 46) return undefined;
    let end = at + 1;
    while (end < text.length && end - at <= DOMAIN_CHARS_MAX && isDomain(text.charCodeAt(end))) end += 1;
    while (end > at + 1 && !isLetterOrDigit(text.charCodeAt(end - 1))) end -= 1;
    const domain = text.slice(at + 1, end);
    const ending = domain.slice(domain.lastIndexOf('.') + 1);
    const isAddress =
      domain.length > ending.length + 1 &&
      isLetterOrDigit(domain.charCodeAt(0)) &&
      !domain.includes('..') &&
      /^(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})$/.test(ending) &&
      !FILE_ENDINGS.has(ending.toLowerCase());
    // `git@github.com:owner/name` is the address of a repository, not of a person.
    return isAddress && text.slice(start, at) !== 'git' && !NOBODY.test(text.slice(start, end))
      ? { start, end }
      : undefined;
  },
};
