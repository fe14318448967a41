import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Buckets } from '@warder/limits';
import type { AdminActor } from '@warder/postgres';
import { addressKey, AdminError, type ErrorAnswer, type Host, type SideDoor } from '@warder/service-host';
import { type LeaksConfig, REPORTERS_MAX } from './leaks-config.js';

/** Where leaked tokens are reported. */
export const LEAKS_PREFIX = '/admin/identity/leaked-tokens';

const BEARER = /^Bearer +([\x21-\x7e]{1,1000}) *$/i;
const ADDRESSES_MAX = 10_000;

/** Who says to be a reporter, and what its body has still to be proved with. */
interface Claim {
  readonly name: string;
  readonly signature?: { readonly key: KeyObject; readonly bytes: Buffer };
}

/** More reports than a reporter or an address may send. */
class TooManyReports extends AdminError {
  constructor(readonly retryAfterS: number) {
    super(429, 'WDR_LEAKS_RATE_LIMITED', 'too many reports, try again later');
  }
}

/**
 * Who may report tokens that leaked: reporters of the configuration, by a secret or by a signature of the body. No token
 * of the admin doors is asked for, and none is of use.
 */
export class LeaksDoor implements SideDoor {
  /** Names the parser of bodies, which keeps their text; answers are plain JSON. */
  readonly mediaType = 'application/vnd.warder.leaked-tokens+json';
  readonly answerType = 'application/json';
  readonly isBodyText = true;
  readonly bodyBytesMax: number;
  private readonly digests: readonly (readonly [name: string, digest: Buffer])[];
  private readonly keys: ReadonlyMap<string, { readonly name: string; readonly key: KeyObject }>;
  private readonly claims = new WeakMap<IncomingMessage, Claim>();
  private readonly byAddress = new Buckets(ADDRESSES_MAX);
  private readonly byReporter = new Buckets(REPORTERS_MAX);

  constructor(
    private readonly config: LeaksConfig | undefined,
    private readonly host: Pick<Host, 'clock' | 'door'>,
  ) {
    this.bodyBytesMax = config?.bodyBytesMax ?? 1;
    const reporters = Object.entries(config?.reporters ?? {});
    this.digests = reporters.flatMap(([name, proof]) =>
      'secret' in proof ? [[name, digestOf(proof.secret)] as const] : [],
    );
    this.keys = new Map(
      reporters.flatMap(([name, proof]) =>
        'publicKeys' in proof
          ? Object.entries(proof.publicKeys).map(([id, pem]) => [id, { name, key: createPublicKey(pem) }] as const)
          : [],
      ),
    );
  }

  /** @throws AdminError 401, 404, 413 or 429 */
  admit(request: IncomingMessage): void {
    const { config } = this;
    if (config === undefined) throw new AdminError(404, 'WDR_PATH_UNKNOWN', 'no such path');
    this.take(this.byAddress, addressKey(this.host.door.clientAddress(request)), config);
    this.claims.set(request, this.claimOf(request));
    if (Number(request.headers['content-length'] ?? 0) > this.bodyBytesMax)
      throw new AdminError(413, 'WDR_BODY_TOO_LARGE', 'the body is too large');
  }

  refusal({ code, message }: ErrorAnswer, error: unknown): { body: object; headers?: Record<string, string> } {
    const body = { error: { code, message } };
    return error instanceof TooManyReports ? { body, headers: { 'retry-after': String(error.retryAfterS) } } : { body };
  }

  /**
   * Who sent the report, proved.
   * @param text - the body as it came, which a signature is of
   * @throws AdminError 401 or 429
   */
  reporterOf(request: IncomingMessage, text: string): AdminActor {
    const claim = this.claims.get(request);
    if (claim === undefined || this.config === undefined) throw new Error('a report that no door let in');
    const { name, signature } = claim;
    if (signature !== undefined && !isSigned(text, signature)) throw notAccepted();
    this.take(this.byReporter, name, this.config);
    const address = this.host.door.clientAddress(request);
    return { principal: null, token: null, client: { name, by: 'leak-report' }, address };
  }

  /** @see GitHub's secret scanning partner program: the two headers, ECDSA with SHA-256 over the body */
  private claimOf({ headers }: IncomingMessage): Claim {
    const { authorization } = headers;
    if (authorization !== undefined) return { name: this.byBearer(BEARER.exec(authorization)?.[1] ?? '') };
    const keyId = headers['github-public-key-identifier'];
    const signature = headers['github-public-key-signature'];
    if (typeof keyId !== 'string' || typeof signature !== 'string')
      throw new AdminError(401, 'WDR_TOKEN_MISSING', 'send the secret of a reporter as bearer, or sign the body');
    const known = this.keys.get(keyId);
    if (known === undefined) throw notAccepted();
    return { name: known.name, signature: { key: known.key, bytes: Buffer.from(signature, 'base64') } };
  }

  /** Every digest is compared, each in constant time: how long it took tells nothing. */
  private byBearer(secret: string): string {
    const given = digestOf(secret);
    let found: string | undefined;
    for (const [name, digest] of this.digests) if (timingSafeEqual(digest, given)) found ??= name;
    if (found === undefined) throw notAccepted();
    return found;
  }

  private take(buckets: Buckets, key: string, { requestsPerMinute, burst }: LeaksConfig): void {
    const left = buckets.take(key, { emissionMs: 60_000 / requestsPerMinute, burst }, this.host.clock.monotonicMs());
    if (left < 0) throw new TooManyReports(Math.ceil(-left / 1_000));
  }
}

function isSigned(text: string, { key, bytes }: NonNullable<Claim['signature']>): boolean {
  try {
    return verify('sha256', Buffer.from(text), key, bytes);
  } catch {
    // What is no signature at all is one that does not fit.
    return false;
  }
}

function notAccepted(): AdminError {
  return new AdminError(401, 'WDR_TOKEN_UNKNOWN', 'the reporter is not accepted');
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
