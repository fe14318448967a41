import type { LiteralDetector } from '../detector.js';
import { type Phrase, phrase } from './phrase.js';

/** Up to so many words between two parts of a sentence. */
export const upTo = (words: number): string => `(?: [a-z0-9]{1,24}){0,${words}}?`;
/** No word goes on. */
export const END = '(?![a-z])';

/** All the tools but this one. */
export const OTHERS =
  '(?:any|all|every|each|the)(?: of the)?(?: other| existing| built in| native| similar| alternative){1,2}(?: [a-z0-9]{1,20})? (?:tools?|functions?|servers?|mcps?|methods?|options?)';

/** A rule about definitions only, looked for around its literals. */
export const poison = (each: Omit<Phrase, 'scope' | 'isAround'>): LiteralDetector =>
  phrase({ ...each, kind: `poison-${each.kind}`, scope: 'definition', isAround: true });
