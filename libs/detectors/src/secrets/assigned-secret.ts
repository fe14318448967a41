import type { LiteralDetector, Span } from '../detector.js';
import { ASSIGNED } from './named-key.js';
import { entropyOf, looksRandom } from './randomness.js';

const KEY_NAMES = [
  'secret',
  'token',
  'api_key',
  'apikey',
  'api-key',
  'api key',
  'access_key',
  'accesskey',
  'access-key',
  'access key',
  'private_key',
  'privatekey',
  'signing_key',
  'signingkey',
  'encryption_key',
  'master_key',
  'account_key',
  'accountkey',
  'shared_key',
  'auth_key',
  'authkey',
  'license_key',
  'session_key',
  'unseal key',
  'credential',
  'authorization',
  '"auth',
];
const PASSWORD_NAMES = ['password', 'passwd', 'passphrase', 'passwort', '_pwd', 'psk', '_pass', 'kennwort'];

/** Names that end alike and hold no secret: cursors, counters, what is meant for everybody. */
const HARMLESS_BEFORE =
  /(?:next|prev(?:ious)?|page|paging|pagination|cursor|continuation|continue|sync|resume|scroll|start|end|max|min|num|total|prompt|completion|input|output|cached|reasoning|public|publishable|csrf|xsrf|idempotency|etag|change|delta|bos|eos|pad|unk|mask)[ _-]?$/i;
const HARMLESS_AFTER =
  /^[ _-]?(?:izer|count|limit|type|name|id\b|ids\b|length|size|url|uri|endpoint|expir|ttl|path|file|field|policy|hash|digest|per|usage|budget|ref\b|arn|version|manager|store)/i;

const KEY_VALUE = String.raw`([A-Za-z0-9_+/=.~:-]{16,512})(?![A-Za-z0-9_+/=(\[-])`;
const PASSWORD_VALUE = String.raw`([^\s"'\`<>\\,;(){}\[\]]{8,128})(?=$|["'\`\s\\,;<}\])])`;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** `my-service-token`, `user.credentials.json`, `v1/secrets/prod`: words, versions and paths. */
const PIECES = /[-_./:=~]+/;
const WORD = /^(?:[A-Za-z]?[a-z]+|[A-Z]+|\d{1,4}|v\d+)$/;

function isMadeOfWords(value: string): boolean {
  const pieces = value.split(PIECES).filter((piece) => piece !== '');
  return pieces.every((piece) => WORD.test(piece));
}

const KEY_ENTROPY_MIN = 3.3;
const HEX = /^[0-9a-f]+$/i;
const HEX_CHARS_MIN = 32;

function isKey(value: string): boolean {
  if (!looksRandom(value) || UUID.test(value) || isMadeOfWords(value) || value.includes('://')) return false;
  if (HEX.test(value)) return value.length >= HEX_CHARS_MIN;
  return /\d/.test(value) && /[A-Za-z]/.test(value) && entropyOf(value) >= KEY_ENTROPY_MIN;
}

const PASSWORD_ENTROPY_MIN = 2.7;
const PASSWORD_CLASSES_MIN = 3;

function isPassword(value: string): boolean {
  if (!looksRandom(value) || /^[$%{&*@]|[$%]\{|process\.env|^\w+\.\w+\.|:\/\//.test(value)) return false;
  if (isMadeOfWords(value) || UUID.test(value)) return false;
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((each) => each.test(value)).length;
  return classes >= PASSWORD_CLASSES_MIN && entropyOf(value) >= PASSWORD_ENTROPY_MIN;
}

function named(accepts: (value: string) => boolean): (text: string, match: Span) => Span | undefined {
  return (text, match) => (accepts(text.slice(match.start, match.end)) ? match : undefined);
}

/** The pattern of a value behind one of the names, whose end the literal is not yet. */
const behind = (names: readonly string[], value: string): RegExp =>
  new RegExp(
    String.raw`(?<!${HARMLESS_BEFORE.source.replace('$', '')})(?:${names.join('|')})(?!${HARMLESS_AFTER.source.slice(1)})${ASSIGNED}${value}`,
    'iy',
  );

/** Values that their name alone makes secret: what no list of issuers can hold. */
export const ASSIGNED_SECRETS: readonly LiteralDetector[] = [
  {
    id: 'secret.assigned-key',
    category: 'secret',
    what: 'A random value behind a name like token, secret or api key',
    fires: [
      'internal_api_key: "q7Zk2VxW9bJn4RtYsG6m"',
      'X-Acme-Token: 9f3kd02mZq81vbT7xLpo',
      'token: r7Zk2VxW9bJn4RtYsG6m',
    ],
    passes: ['nextPageToken: "q7Zk2VxW9bJn4RtYsG6m"', 'token: process.env.TOKEN_OF_ACME', 'secret: my-secret-name-2'],
    trigger: 'literal',
    forms: [{ literals: KEY_NAMES, pattern: behind(KEY_NAMES, KEY_VALUE) }],
    extend: named(isKey),
  },
  {
    id: 'secret.assigned-password',
    category: 'secret',
    what: 'A password behind its name',
    fires: ['DB_PASSWORD=q7Zk2VxW9b', 'password: "tR0ub4dor&3x"'],
    passes: ['password: ${DB_PASSWORD}', 'the password is at least 12 characters long', 'password: hunter'],
    trigger: 'literal',
    forms: [{ literals: PASSWORD_NAMES, pattern: behind(PASSWORD_NAMES, PASSWORD_VALUE) }],
    extend: named(isPassword),
  },
];
