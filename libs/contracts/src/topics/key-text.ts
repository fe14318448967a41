import { z } from 'zod';

/** A public key of Curve25519 (Ed25519 or X25519): its 32 bytes, base64url. */
export const KeyText = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** An Ed25519 signature: 64 bytes, base64url. */
export const SignatureText = z.string().regex(/^[A-Za-z0-9_-]{86}$/);

/** Names that travel in a message and are compared with others. */
export const NameText = z.string().min(1).max(200);
