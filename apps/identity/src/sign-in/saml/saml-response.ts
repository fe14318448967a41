import { ASSERTION, PROTOCOL, SUCCESS } from './saml-names.js';
import { SamlRefused } from './saml-refused.js';
import { signedElements } from './saml-signatures.js';
import { ensureFresh, type SamlClock } from './saml-times.js';
import { childrenOf, elementsOf, onlyChild, plainTextOf, type XmlElement } from './saml-xml.js';

/** What an answer must say to be one to us, and to this attempt. */
export interface Awaited {
  /** What the provider calls itself, and us. */
  readonly entityId: string;
  readonly ownEntityId: string;
  /** Where the answer was to go. */
  readonly address: string;
  /** Id of our request. */
  readonly requestId: string;
  readonly signed: 'both' | 'response' | 'assertion';
}

/**
 * Ensures that a response has the one form that is taken: one assertion in plain, directly under the root, signatures
 * where they are wanted and nowhere else, made now as an answer to this request. Whether they are good is not said here;
 * what they do not cover is not used.
 * @returns the assertion, unverified
 * @throws SamlRefused
 * @see SAML 2.0 Profiles section 4.1.4.2, Bindings section 3.5.5.2
 */
export function ensureResponse(root: XmlElement, awaited: Awaited, clock: SamlClock): XmlElement {
  const { attributes } = root;
  if (root.name !== 'Response' || root.namespace !== PROTOCOL) throw new SamlRefused('no-response');
  if (attributes.get('Version') !== '2.0') throw new SamlRefused('version');
  const signed = signedElements(root);
  const status = onlyChild(root, PROTOCOL, 'Status', 'status');
  const code = onlyChild(status, PROTOCOL, 'StatusCode', 'status');
  if (code.attributes.get('Value') !== SUCCESS) throw new SamlRefused('status');
  const assertion = onlyChild(root, ASSERTION, 'Assertion', 'assertion');
  for (const element of elementsOf(root)) {
    // Encrypted ones too: we have no key for them, and publish none.
    if (element.name.endsWith('Assertion') && element !== assertion) throw new SamlRefused('assertion');
  }
  const isSigned = { response: signed.has(root), assertion: signed.has(assertion) };
  if (signed.size !== Number(isSigned.response) + Number(isSigned.assertion)) throw new SamlRefused('signature-place');
  if (!isSigned.response && awaited.signed !== 'assertion') throw new SamlRefused('response-unsigned');
  if (!isSigned.assertion && awaited.signed !== 'response') throw new SamlRefused('assertion-unsigned');
  if (attributes.get('Destination') !== awaited.address) throw new SamlRefused('destination');
  if (attributes.get('InResponseTo') !== awaited.requestId) throw new SamlRefused('in-response-to');
  ensureFresh(attributes.get('IssueInstant'), clock);
  const issuers = childrenOf(root, ASSERTION, 'Issuer');
  const isOfProvider = issuers.every((issuer) => plainTextOf(issuer, 'issuer') === awaited.entityId);
  if (!isOfProvider || issuers.length > 1) throw new SamlRefused('issuer');
  return assertion;
}
