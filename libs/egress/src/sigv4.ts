import { createHash, createHmac } from 'node:crypto';

/** What AWS calls are signed with; the token belongs to temporary credentials. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface ToSign {
  readonly method: string;
  /** As it is sent, percent-encoded once, with its query. */
  readonly path: string;
  readonly host: string;
  /** By names in lower case; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly region: string;
  readonly service: string;
}

/**
 * Headers of a request to AWS, signed with Signature Version 4. The path is encoded once more for signing, as every
 * service but S3 asks.
 * @param wallMs - the signature is good for minutes around it
 * @see AWS, "Create a signed AWS API request"
 */
export function signedHeaders(request: ToSign, credentials: AwsCredentials, wallMs: number): Record<string, string> {
  const time = new Date(wallMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${request.region}/${request.service}/aws4_request`;
  const headers: Record<string, string> = { ...request.headers, host: request.host, 'x-amz-date': time };
  if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken;
  const names = Object.keys(headers).toSorted();
  const [path = '', query = ''] = splitOnce(request.path, '?');
  const canonical = [
    request.method,
    path
      .replace(/\/{2,}/g, '/')
      .split('/')
      .map(encodeText)
      .join('/'),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${headers[name]!.trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    sha256(request.body),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [day, request.region, request.service, 'aws4_request'].reduce<string | Buffer>(
    (before, part) => hmac(before, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(key, text).toString('hex');
  return {
    ...headers,
    authorization:
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
      `SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

/** Names and values decoded, encoded as AWS does it, and sorted by their encoded bytes; a plus is a plus. */
function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .filter((each) => each !== '')
    .map((each) => splitOnce(each, '=').map((part) => encodeText(decodeText(part))))
    .toSorted(([name = '', value = ''], [other = '', others = '']) =>
      name === other ? compare(value, others) : compare(name, other),
    )
    .map(([name, value = '']) => `${name}=${value}`)
    .join('&');
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

function splitOnce(text: string, at: string): string[] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

/** What is no percent-encoding stands for itself. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986: everything but unreserved characters. */
function encodeText(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
