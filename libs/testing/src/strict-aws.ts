import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Keys that a service of AWS knows. */
export interface KnownAwsKeys {
  readonly account: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(\w{16,128})\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
const SKEW_MS = 300_000;
/** Headers that a signature need not cover, for the hop may say them in another way. */
const OF_HOP = new Set(['authorization', 'connection', 'content-length', 'accept-encoding']);

/**
 * A service that verifies Signature Version 4 as AWS's document says it is made, from the request as it came, and is
 * stricter than any of theirs: every header that is not of the hop has to be signed.
 * @see AWS, "Create a signed AWS API request"
 */
export class StrictAwsService {
  /** Why requests were refused. */
  readonly refusals: string[] = [];
  /** Signatures that were good; none of two requests is the same. */
  readonly signatures: string[] = [];
  readonly keys = new Map<string, KnownAwsKeys>();

  constructor(
    private readonly region: string,
    private readonly service: string,
  ) {}

  /** Whose keys signed the request; undefined where it is not signed as it has to be. */
  accountOf(request: IncomingMessage, body: string): string | undefined {
    const why = this.examine(request, body);
    if (typeof why === 'object') return why.account;
    this.refusals.push(why);
    return undefined;
  }

  private examine(request: IncomingMessage, body: string): KnownAwsKeys | string {
    const { headers } = request;
    const found = AUTHORIZATION.exec(headers.authorization ?? '');
    if (found === null) return 'no signature of the form';
    const [, keyId = '', day = '', region, service, signedNames = '', signature = ''] = found;
    if (region !== this.region || service !== this.service) return 'another scope';
    const known = this.keys.get(keyId);
    if (known === undefined) return 'unknown key';
    const token = headers['x-amz-security-token'];
    if (token !== known.sessionToken) return 'another session token';
    const date = String(headers['x-amz-date']);
    const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)?.slice(1).map(Number);
    if (parts === undefined || !date.startsWith(day)) return 'no date';
    const [year = 0, month = 0, dayOfMonth = 0, hour, minute, second] = parts;
    if (Math.abs(Date.UTC(year, month - 1, dayOfMonth, hour, minute, second) - Date.now()) > SKEW_MS) return 'too old';
    const names = signedNames.split(';');
    if (names.join() !== names.toSorted().join() || new Set(names).size !== names.length) return 'names out of order';
    const unsigned = Object.keys(headers).find((name) => !OF_HOP.has(name) && !names.includes(name));
    if (unsigned !== undefined) return `${unsigned} is not signed`;
    const text = canonical(request, names, body);
    const scope = `${day}/${region}/${service}/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hex(text)}`;
    let key: Buffer = Buffer.from(`AWS4${known.secretAccessKey}`);
    for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
    const expected = createHmac('sha256', key).update(toSign).digest();
    if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return 'another signature';
    this.signatures.push(signature);
    return known;
  }
}

/** The canonical request: method, path, query, headers, their names, hash of the body. */
function canonical({ method, url = '', headers }: IncomingMessage, names: readonly string[], body: string): string {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const pairs = at < 0 ? [] : url.slice(at + 1).split('&');
  const query = pairs.map((pair) => {
    const [name = '', ...value] = pair.split('=');
    return `${uriEncode(decodeURIComponent(name))}=${uriEncode(decodeURIComponent(value.join('=')))}`;
  });
  const lines = names.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/\s+/g, ' ')}\n`).join('');
  const encodedPath = path.split('/').map(uriEncode).join('/');
  return [method, encodedPath, query.toSorted().join('&'), lines, names.join(';'), hex(body)].join('\n');
}

/** `UriEncode` of the document: bytes that are not unreserved, as `%XY`. */
function uriEncode(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~]/.test(sign) ? sign : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
