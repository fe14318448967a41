import { generateKeyPairSync, hash, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { SigningKeyState } from '@warder/contracts';
import { AccessTokens, Callers, digestOf, issueToken, PrincipalDirectory } from '@warder/tokens';
import { principal, principalId, token } from '../state-feeder.js';
import { quantile } from '../statistics.js';

const ISSUER = 'https://warder.example';
const AUDIENCE = `${ISSUER}/mcp/dev`;
const PEPPER = { keyId: 'bench', secret: randomBytes(32).toString('hex') };
const ADDRESS = '198.51.100.7';
const BATCHES = 100;
const BATCH = 2_000;
/** Tokens whose signature is verified for the first time are dear: fewer of them. */
const COLD_BATCH = 20;

/** A kind of bearer, and what may at most be taken by the median batch, microseconds of CPU a check: others may be at work. */
interface Row {
  readonly what: string;
  readonly boundUs: number;
  readonly batch: number;
  /** Whether the check ended as it must. */
  readonly check: (at: number) => boolean;
}

/**
 * Times what tells a node who calls, over everybody and not over one hot token.
 * @returns whether the median of each kind is within its bound
 */
export async function benchChecks(people: number, say: (line: string) => void): Promise<boolean> {
  const before = heapBytes();
  const { callers, bearers } = directoryOf(people);
  say(`heap of ${people} principals and tokens, as a node holds them: ${mebibytes(heapBytes() - before)} MiB`);
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = key.publicKey.export({ format: 'jwk' }) as SigningKeyState['jwk'];
  callers.applyKey('k1', { version: 1, status: 'active', id: 'k1', algorithm: 'ES256', jwk });
  const nowMs = Date.now();
  const isKnown = (bearer: string): boolean => typeof callers.examine(bearer, AUDIENCE, nowMs, ADDRESS) !== 'string';
  const warm = Array.from({ length: BATCH }, (_, at) => accessToken(key.privateKey, at % people));
  for (const bearer of warm) isKnown(bearer);
  const cold = Array.from({ length: BATCHES * COLD_BATCH }, (_, at) => accessToken(key.privateKey, at % people, at));
  const forged = Array.from({ length: BATCH }, () => issueToken(randomBytes));
  // A stride that is no divisor: each check is of somebody else.
  const of = (at: number): string => bearers[(at * 7_919) % people]!;
  const rows: Row[] = [
    {
      what: 'sha256 of 64 bytes, for scale',
      boundUs: Infinity,
      batch: BATCH,
      check: (at) => hash('sha256', of(at)) !== '',
    },
    { what: 'personal token', boundUs: 5, batch: BATCH, check: (at) => isKnown(of(at)) },
    {
      what: 'personal token nobody issued',
      boundUs: Infinity,
      batch: BATCH,
      check: (at) => !isKnown(forged[at % BATCH]!),
    },
    { what: 'access token, verified before', boundUs: 5, batch: BATCH, check: (at) => isKnown(warm[at % BATCH]!) },
    { what: 'access token, cold', boundUs: 300, batch: COLD_BATCH, check: (at) => isKnown(cold[at]!) },
  ];
  say('check                        CPU us p50     p99   bound');
  return rows.map((row) => timed(row, say)).every(Boolean);
}

function timed({ what, boundUs, batch, check }: Row, say: (line: string) => void): boolean {
  const us: number[] = [];
  for (let round = 0; round < BATCHES; round += 1) {
    const before = process.cpuUsage();
    for (let at = round * batch; at < (round + 1) * batch; at += 1) {
      if (!check(at)) throw new Error(`${what}: not what it must be`);
    }
    const { user, system } = process.cpuUsage(before);
    us.push((user + system) / batch);
  }
  const [p50, p99] = [quantile(us, 0.5), quantile(us, 0.99)];
  const bound = Number.isFinite(boundUs) ? String(boundUs) : '-';
  say(`${what.padEnd(31)} ${p50.toFixed(2).padStart(7)} ${p99.toFixed(2).padStart(7)} ${bound.padStart(7)}`);
  return p50 <= boundUs;
}

function directoryOf(people: number): { callers: Callers; bearers: readonly string[] } {
  const directory = new PrincipalDirectory({ [PEPPER.keyId]: PEPPER.secret });
  const callers = new Callers(directory, new AccessTokens(() => ISSUER));
  const bearers: string[] = [];
  for (let at = 0; at < people; at += 1) {
    const bearer = issueToken(randomBytes);
    bearers.push(bearer);
    callers.applyPrincipal(principalId(at), principal(at));
    callers.applyToken(digestOf(bearer, PEPPER.secret), token(at, PEPPER.keyId));
  }
  return { callers, bearers };
}

/** An access token as identity signs them. @param serial - makes it another one of the same person */
function accessToken(key: KeyObject, person: number, serial = -1): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: ISSUER,
    sub: principalId(person),
    aud: AUDIENCE,
    client_id: 'https://editor.example/client.json',
    client_name: 'Editor',
    client_by: 'document',
    grant_id: `grant-${person}`,
    jti: String(serial),
    iat: nowS,
    exp: nowS + 3_600,
  };
  const signed = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })}.${part(claims)}`;
  const seal = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${seal.toString('base64url')}`;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}
