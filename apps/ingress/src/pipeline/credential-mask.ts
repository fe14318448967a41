import { isObject } from '@warder/mcp-wire';

const MASK = '[redacted:secret.upstream-credential]';
/** UTF-16 units; whoever has a shorter credential has none, and taking it out would take out words. */
const SECRET_CHARS_MIN = 8;

const secretsOfHeaders = new WeakMap<object, readonly string[]>();

/**
 * Takes the credential that went up out of what came back: upstreams repeat what they were sent, in errors above all,
 * and no rule knows every form that a credential has.
 * @param headers - of the lease
 * @returns the same reference where it did not stand
 */
export function withoutCredential<T>(value: T, headers: Readonly<Record<string, string>>): T {
  const secrets = secretsOf(headers);
  return secrets.length === 0 ? value : (masked(value, secrets) as T);
}

function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  let secrets = secretsOfHeaders.get(headers);
  if (secrets === undefined) {
    // Without its scheme too: `Bearer x` is told as `x`. The longer first, or it would be left in halves.
    const forms = Object.values(headers).flatMap((value) => [
      value,
      value.slice(value.indexOf(' ') + 1),
      ...passwordOf(value),
    ]);
    secrets = [...new Set(forms)].filter((form) => form.length >= SECRET_CHARS_MIN);
    secretsOfHeaders.set(headers, secrets);
  }
  return secrets;
}

/** What `Basic` credentials hold (RFC 7617 section 2): an upstream reads it, and may repeat what it read. */
function passwordOf(value: string): readonly string[] {
  if (!/^basic /i.test(value)) return [];
  const pair = Buffer.from(value.slice('basic '.length), 'base64').toString('utf8');
  return [pair, pair.slice(pair.indexOf(':') + 1)];
}

function masked(value: unknown, secrets: readonly string[]): unknown {
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

function cleanText(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
  return clean;
}
