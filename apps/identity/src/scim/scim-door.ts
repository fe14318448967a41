import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Buckets } from '@warder/limits';
import type { AdminActor } from '@warder/postgres';
import { AdminError, type ErrorAnswer, type Host, type SideDoor } from '@warder/service-host';
import { type ScimConfig, TOKENS_MAX } from './scim-config.js';
import { ScimError, scimErrorBody } from './scim-error.js';

/** Where SCIM is spoken. */
export const SCIM_PREFIX = '/scim';

const BEARER = /^Bearer +([\x21-\x7e]{1,1000}) *$/i;
const DIGEST_PREFIX = 'sha256:';

/**
 * Who may speak SCIM: the bearers of the configuration, and no token of the admin doors. Without a configuration the
 * path is not there.
 */
export class ScimDoor implements SideDoor {
  readonly mediaType = 'application/scim+json';
  readonly bodyBytesMax: number;
  /** Resources in one page. */
  readonly pageMax: number;
  private readonly digests: readonly (readonly [name: string, digest: Buffer])[];
  private readonly clients = new WeakMap<IncomingMessage, string>();
  private readonly buckets = new Buckets(TOKENS_MAX);

  constructor(
    private readonly config: ScimConfig | undefined,
    private readonly host: Pick<Host, 'clock' | 'door'>,
  ) {
    this.bodyBytesMax = config?.bodyBytesMax ?? 1;
    this.pageMax = config?.pageMax ?? 1;
    this.digests = Object.entries(config?.tokens ?? {}).map(([name, token]) => [name, digestOf(token)]);
  }

  /** @throws AdminError 401, 404, 413 or 429 */
  admit(request: IncomingMessage): void {
    if (this.config === undefined) throw new AdminError(404, 'WDR_PATH_UNKNOWN', 'no such path');
    const { authorization } = request.headers;
    if (authorization === undefined)
      throw new AdminError(401, 'WDR_TOKEN_MISSING', 'send Authorization: Bearer <token>');
    const client = this.clientOf(BEARER.exec(authorization)?.[1] ?? '');
    if (client === undefined) throw new AdminError(401, 'WDR_TOKEN_UNKNOWN', 'the token is not accepted');
    if (Number(request.headers['content-length'] ?? 0) > this.bodyBytesMax) {
      throw new AdminError(413, 'WDR_BODY_TOO_LARGE', 'the body is too large');
    }
    this.takeQuota(client, this.config);
    this.clients.set(request, client);
  }

  refusal(answer: ErrorAnswer, error: unknown): { body: object; headers?: Record<string, string> } {
    const body = scimErrorBody(answer, error);
    const seconds = error instanceof ScimError ? error.retryAfterS : undefined;
    return seconds === undefined ? { body } : { body, headers: { 'retry-after': String(seconds) } };
  }

  /** Where a resource stands, of a path below the version. */
  readonly urlOf = (path: string): string => new URL(`${SCIM_PREFIX}/v2/${path}`, this.host.door.publicUrl()).href;

  /** Whom the record names for what an admitted request changes. */
  actorOf(request: IncomingMessage): AdminActor {
    const name = this.clients.get(request);
    if (name === undefined) throw new Error('a controller of SCIM asks for its client but stands behind no door');
    return {
      principal: null,
      token: null,
      client: { name, by: 'scim' },
      address: this.host.door.clientAddress(request),
    };
  }

  /** Every digest is compared, each in constant time: how long it took tells nothing. */
  private clientOf(bearer: string): string | undefined {
    const given = digestOf(bearer, false);
    let found: string | undefined;
    for (const [name, digest] of this.digests) if (timingSafeEqual(digest, given)) found ??= name;
    return found;
  }

  private takeQuota(client: string, { requestsPerMinute, burst }: ScimConfig): void {
    const left = this.buckets.take(
      client,
      { emissionMs: 60_000 / requestsPerMinute, burst },
      this.host.clock.monotonicMs(),
    );
    if (left >= 0) return;
    throw new ScimError(429, 'WDR_SCIM_RATE_LIMITED', `${client} asks too often`, undefined, Math.ceil(-left / 1_000));
  }
}

/** @param isConfigured - whether it may be a digest already: a caller who sends a digest has sent no token */
function digestOf(token: string, isConfigured = true): Buffer {
  if (isConfigured && token.startsWith(DIGEST_PREFIX)) return Buffer.from(token.slice(DIGEST_PREFIX.length), 'hex');
  return createHash('sha256').update(token).digest();
}
