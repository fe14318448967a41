import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { SigningKeyState } from '@warder/contracts';
import { z } from 'zod';

/** Who is signed in to a browser, as identity says. */
const PassClaims = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.string().min(1).max(200),
  sid: z.string().min(1).max(200),
  nonce: z.string(),
  auth_time: z.number(),
  iat: z.number(),
  exp: z.number(),
});
export type PassClaims = z.infer<typeof PassClaims>;

const PASS_CHARS_MAX = 4_096;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const SIGNATURE_BYTES = 64;

/** Reads passes: short tokens of identity's that let a browser in here and nowhere else. */
export class PassKeys {
  private readonly keys = new Map<string, KeyObject>();

  /** @param pages - that passes have to be for, such as `connections` */
  constructor(private readonly pages: string) {}

  apply(id: string, { status, jwk }: SigningKeyState): void {
    if (status === 'active') this.keys.set(id, createPublicKey({ key: jwk, format: 'jwk' }));
    else this.keys.delete(id);
  }

  /** @returns undefined for anything but a pass of that origin, to these pages, for that nonce, that has not expired */
  read(text: string, origin: string, nonce: string, nowMs: number): PassClaims | undefined {
    if (text.length > PASS_CHARS_MAX || !COMPACT.test(text)) return undefined;
    const [head = '', body = '', seal = ''] = text.split('.');
    const header = jsonOf(head) as { alg?: unknown; typ?: unknown; kid?: unknown } | undefined;
    // The type tells it from an access token, which is signed with the same key.
    if (header?.alg !== 'ES256' || header.typ !== 'warder-pass+jwt' || typeof header.kid !== 'string') return undefined;
    const key = this.keys.get(header.kid);
    const signature = Buffer.from(seal, 'base64url');
    if (key === undefined || signature.length !== SIGNATURE_BYTES) return undefined;
    const signed = Buffer.from(`${head}.${body}`, 'latin1');
    if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)) return undefined;
    const claims = PassClaims.safeParse(jsonOf(body));
    if (!claims.success) return undefined;
    const { iss, aud, exp } = claims.data;
    const isOurs = iss === origin && aud === `${origin}/${this.pages}` && claims.data.nonce === nonce;
    return isOurs && exp * 1_000 > nowMs ? claims.data : undefined;
  }
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
