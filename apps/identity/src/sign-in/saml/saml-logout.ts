import { createVerify } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import type { BroughtLogout } from '../company-provider.js';
import { readNameId } from './saml-assertion.js';
import type { SamlKeys } from './saml-keys.js';
import { ASSERTION, type NAME_ID, PROTOCOL } from './saml-names.js';
import { SamlRefused } from './saml-refused.js';
import type { Awaited } from './saml-response.js';
import { signedElements } from './saml-signatures.js';
import { ensureFresh, ensureWithin, type SamlClock } from './saml-times.js';
import { decoded, MESSAGE_BYTES_MAX, onlyChild, plainText, plainTextOf, treeOf, type XmlElement } from './saml-xml.js';

/** Of a signature over an address (Bindings section 3.4.4.1); none with SHA-1. */
const QUERY_ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'RSA-SHA256'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'RSA-SHA512'],
]);
const QUERY_LENGTH_MAX = 8_192;
const RELAY_STATE_MAX = 1_024;

/** A request to sign somebody out. */
export interface LogoutRequest {
  readonly id: string;
  readonly subject: string;
  /** To be given back as it is; empty where there was none. */
  readonly relayState: string;
}

export interface LogoutAwaited {
  readonly awaited: Pick<Awaited, 'entityId' | 'ownEntityId' | 'address'>;
  readonly format: keyof typeof NAME_ID;
  readonly keys: SamlKeys;
  readonly clock: SamlClock;
}

/**
 * Reads a signed `LogoutRequest`, which came by POST or in the address (Redirect binding).
 * @param verify - verifies the signature over the document's root
 * @throws SamlRefused
 * @see SAML 2.0 Core section 3.7.1, Profiles section 4.4.4.1
 */
export async function readLogout(
  { method, query, form }: BroughtLogout,
  { awaited, format, keys, clock }: LogoutAwaited,
  verify: (bytes: Buffer) => Promise<unknown>,
): Promise<LogoutRequest> {
  const isInAddress = method === 'GET';
  const sent = isInAddress
    ? verifiedQuery(query, keys)
    : { bytes: decoded(form?.get('SAMLRequest') ?? ''), relayState: form?.get('RelayState') ?? '' };
  if (sent.relayState.length > RELAY_STATE_MAX) throw new SamlRefused('relay-state');
  const root = treeOf(plainText(sent.bytes));
  if (root.name !== 'LogoutRequest' || root.namespace !== PROTOCOL) throw new SamlRefused('no-request');
  ensureSignature(root, isInAddress);
  if (!isInAddress) {
    await verify(sent.bytes).catch(() => {
      throw new SamlRefused('signature');
    });
  }
  const { attributes } = root;
  const id = attributes.get('ID') ?? '';
  if (attributes.get('Version') !== '2.0' || id === '') throw new SamlRefused('version');
  if (attributes.get('Destination') !== awaited.address) throw new SamlRefused('destination');
  ensureFresh(attributes.get('IssueInstant'), clock);
  ensureWithin(attributes, clock, 'expired');
  const issuer = onlyChild(root, ASSERTION, 'Issuer', 'issuer');
  if (plainTextOf(issuer, 'issuer') !== awaited.entityId) throw new SamlRefused('issuer');
  return { id, subject: readNameId(root, awaited, format), relayState: sent.relayState };
}

function ensureSignature(root: XmlElement, isInAddress: boolean): void {
  const signed = signedElements(root);
  if (isInAddress ? signed.size > 0 : signed.size !== 1 || !signed.has(root)) throw new SamlRefused('signature-place');
}

/**
 * The message of an address whose signature is good. The signature is over the parameters as they were sent, so they
 * are taken apart here and each must stand there once. (The library takes an address without a signature for a good one,
 * any digest that Node has, and inflates without end.)
 */
function verifiedQuery(query: string, { certificates }: SamlKeys): { bytes: Buffer; relayState: string } {
  if (query.length > QUERY_LENGTH_MAX) throw new SamlRefused('too-long');
  const sent = new Map<string, string>();
  for (const pair of query.split('&')) {
    const name = pair.split('=', 1)[0]!;
    if (sent.has(name)) throw new SamlRefused('parameter-twice');
    sent.set(name, pair);
  }
  const valueOf = (name: string): string => {
    const text = (sent.get(name) ?? '').slice(name.length + 1).replaceAll('+', ' ');
    try {
      return decodeURIComponent(text);
    } catch {
      throw new SamlRefused('encoding');
    }
  };
  const algorithm = QUERY_ALGORITHMS.get(valueOf('SigAlg'));
  if (!sent.has('Signature') || !sent.has('SigAlg')) throw new SamlRefused('unsigned');
  if (algorithm === undefined) throw new SamlRefused('signature-algorithm');
  const encoding = sent.has('SAMLEncoding') ? valueOf('SAMLEncoding') : undefined;
  if (encoding !== undefined && encoding !== 'urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE') {
    throw new SamlRefused('encoding');
  }
  const signed = ['SAMLRequest', 'RelayState', 'SigAlg'].flatMap((name) => sent.get(name) ?? []).join('&');
  const signature = Buffer.from(valueOf('Signature').replaceAll(' ', '+'), 'base64');
  const isGood = certificates.some((pem) => createVerify(algorithm).update(signed).verify(pem, signature));
  if (!isGood) throw new SamlRefused('signature');
  const deflated = decoded(valueOf('SAMLRequest').replaceAll(' ', '+'));
  try {
    const bytes = inflateRawSync(deflated, { maxOutputLength: MESSAGE_BYTES_MAX });
    return { bytes, relayState: valueOf('RelayState') };
  } catch {
    throw new SamlRefused('too-long');
  }
}
