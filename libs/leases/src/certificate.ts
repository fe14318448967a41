import type { KeyObject } from 'node:crypto';
import { ServiceName } from '@warder/contracts';
import { isSignedBy, keyOfText, signatureOf, statement } from './identity.js';

/** What the registrar says of one key: whose it is, and for how long. */
export interface CertifiedKey {
  readonly node: string;
  readonly service: ServiceName;
  /** Ed25519, public, base64url. */
  readonly identity: string;
  /** Wall milliseconds. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** A certificate that was read: signed by the registrar; whether its time is now, and it was not revoked, is not said. */
export interface Certificate extends CertifiedKey {
  readonly key: KeyObject;
}

/** Signs a certificate: the members as JSON and the signature, each base64url, with a dot between. */
export function certificateOf(certified: CertifiedKey, registrar: KeyObject): string {
  const members = membersOf(certified);
  const body = Buffer.from(JSON.stringify(members)).toString('base64url');
  return `${body}.${signatureOf(registrar, statement('certificate', members))}`;
}

/**
 * Reads a certificate.
 * @param registrars - public keys, any of which may have signed it
 * @returns undefined for what none of them signed
 */
export function readCertificate(text: string, registrars: readonly KeyObject[]): Certificate | undefined {
  const [body = '', signature = ''] = text.split('.');
  try {
    const members: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    if (!Array.isArray(members)) return undefined;
    const bytes = statement('certificate', members);
    if (!registrars.some((registrar) => isSignedBy(registrar, bytes, signature))) return undefined;
    const [node, service, identity, issuedAtMs, expiresAtMs] = members as [string, string, string, number, number];
    const certified = { node, service: ServiceName.parse(service), identity, issuedAtMs, expiresAtMs };
    return { ...certified, key: keyOfText('Ed25519', identity) };
  } catch {
    return undefined;
  }
}

function membersOf({ node, service, identity, issuedAtMs, expiresAtMs }: CertifiedKey): readonly unknown[] {
  return [node, service, identity, issuedAtMs, expiresAtMs];
}
