import { createPrivateKey } from 'node:crypto';
import type { ClientCertificate, UpstreamCredential } from '@warder/contracts';
import { isObject } from '@warder/mcp-wire';

const MASK = '[redacted:secret.upstream-credential]';
/** UTF-16 units; whoever has a shorter credential has none, and taking it out would take out words. */
const SECRET_CHARS_MIN = 8;
/** The last line of a key may hold a few characters of it only. */
const KEY_LINE_CHARS_MIN = 16;
/** What stands between two lines of a key: a line end, or how a text inside of a text writes one. */
const LINE_ENDS = String.raw`(?:\s|\\[rn])*`;

/** What is looked for, the longer ones first, or they would be left in halves. */
type Secrets = readonly (string | RegExp)[];

const secretsOfCredentials = new WeakMap<object, Secrets>();

/**
 * Takes the credential that went up out of what came back: upstreams repeat what they were sent, in errors above all,
 * and no rule knows every form that a credential has.
 * @param credential - of the lease; null where there was none
 * @returns the same reference where it did not stand
 */
export function withoutCredential<T>(value: T, credential: UpstreamCredential | null): T {
  if (credential === null) return value;
  const secrets = secretsOf(credential);
  return secrets.length === 0 ? value : (masked(value, secrets) as T);
}

function secretsOf(credential: UpstreamCredential): Secrets {
  let secrets = secretsOfCredentials.get(credential);
  if (secrets === undefined) {
    secrets = madeSecrets(credential);
    secretsOfCredentials.set(credential, secrets);
  }
  return secrets;
}

function madeSecrets(credential: UpstreamCredential): Secrets {
  if (credential.kind === 'client-certificate') return keyForms(credential);
  if (credential.kind === 'headers') return longEnough(Object.values(credential.values).flatMap(headerForms));
  const { secretAccessKey, sessionToken } = credential;
  return longEnough([secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])].flatMap(base64Forms));
}

function longEnough(forms: readonly string[]): readonly string[] {
  return [...new Set(forms)]
    .filter((form) => form.length >= SECRET_CHARS_MIN)
    .toSorted((one, other) => other.length - one.length);
}

/** Without its scheme too: `Bearer x` is told as `x`. */
function headerForms(value: string): readonly string[] {
  return [value, value.slice(value.indexOf(' ') + 1), ...passwordOf(value)];
}

/** What `Basic` credentials hold (RFC 7617 section 2): an upstream reads it, and may repeat what it read. */
function passwordOf(value: string): readonly string[] {
  if (!/^basic /i.test(value)) return [];
  const pair = Buffer.from(value.slice('basic '.length), 'base64').toString('utf8');
  return [pair, pair.slice(pair.indexOf(':') + 1)];
}

/** As it is, as a URL has it, and as a text inside of a JSON text may have its slashes. */
function base64Forms(secret: string): readonly string[] {
  return [secret, encodeURIComponent(secret), secret.replaceAll('/', '\\/')];
}

/**
 * The base64 of a key, in each form that a PEM file has of it: whole, whatever stands between its lines, and line by line,
 * for what shows a file often shows a part of it.
 */
function keyForms({ key }: ClientCertificate): Secrets {
  const lines = pemForms(key).map((pem) =>
    pem.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('-----')),
  );
  const whole = lines.map((each) => new RegExp(each.map(escaped).join(LINE_ENDS), 'g'));
  return [...whole, ...longEnough(lines.flat().filter((line) => line.length >= KEY_LINE_CHARS_MIN))];
}

function pemForms(pem: string): readonly string[] {
  const key = createPrivateKey(pem);
  const own = ({ rsa: 'pkcs1', ec: 'sec1' } as const)[key.asymmetricKeyType as 'rsa'];
  const types = own === undefined ? (['pkcs8'] as const) : (['pkcs8', own] as const);
  return types.map((type) => key.export({ type, format: 'pem' }) as string);
}

function escaped(line: string): string {
  return line.replace(/[+/=]/g, (sign) => `\\${sign}`);
}

function masked(value: unknown, secrets: Secrets): unknown {
  if (typeof value === 'string') return cleanText(value, secrets);
  if (Array.isArray(value)) {
    const items = value.map((item) => masked(item, secrets));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (!isObject(value)) return value;
  let isChanged = false;
  const members = Object.entries(value).map(([name, member]) => {
    const clean = [cleanText(name, secrets), masked(member, secrets)] as const;
    isChanged ||= clean[0] !== name || clean[1] !== member;
    return clean;
  });
  return isChanged ? Object.fromEntries(members) : value;
}

function cleanText(text: string, secrets: Secrets): string {
  let clean = text;
  for (const secret of secrets)
    if (typeof secret !== 'string' || clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
  return clean;
}
