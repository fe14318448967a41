import { DSIG, EXCLUSIVE } from './saml-names.js';
import { SamlRefused } from './saml-refused.js';
import { elementsOf, type XmlElement } from './saml-xml.js';

/** RSA with SHA-256 or SHA-512, PKCS #1 v1.5 or PSS. No SHA-1, and nothing in which a public key could be a secret. */
const SIGNATURE_METHODS = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
]);
const DIGEST_METHODS = new Set(['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512']);
const ENVELOPED = `${DSIG}enveloped-signature`;
const ID = /^[A-Za-z_][\w.-]{0,255}$/;

/**
 * Elements that bear a signature over themselves, of the one form that SAML has (Core section 5.4): enveloped, one
 * reference, to the very element that it stands in, exclusive canonicalization, no transform that picks parts out. What
 * is wrapped around, moved into or hidden beside a signed element therefore has no place to be in. Nothing is verified
 * here.
 * @throws SamlRefused where an id stands twice, or a signature has any other form or place
 */
export function signedElements(root: XmlElement): ReadonlySet<XmlElement> {
  const ids = new Set<string>();
  const signed = new Set<XmlElement>();
  let signatures = 0;
  for (const element of elementsOf(root)) {
    for (const [name, value] of element.attributes) {
      if (!/^(?:\{.*\})?id$/i.test(name)) continue;
      if (ids.has(value)) throw new SamlRefused('id-twice');
      ids.add(value);
    }
    if (element.name === 'Signature') signatures++;
    const own = element.children.filter(({ name }) => name === 'Signature');
    if (own.length === 0) continue;
    if (own.length > 1) throw new SamlRefused('signature-form');
    ensureForm(own[0]!, element.attributes.get('ID') ?? '');
    signed.add(element);
  }
  // Each that is counted has a parent, unless it is the root itself.
  if (signatures !== signed.size) throw new SamlRefused('signature-form');
  return signed;
}

function ensureForm(signature: XmlElement, id: string): void {
  const [info, value, keyInfo, ...more] = signature.children;
  const [canonicalization, method, reference, ...others] = info?.children ?? [];
  const [transforms, digest, digestValue, ...rest] = reference?.children ?? [];
  const places: [XmlElement | undefined, string][] = [
    [signature, 'Signature'],
    [info, 'SignedInfo'],
    [value, 'SignatureValue'],
    [canonicalization, 'CanonicalizationMethod'],
    [method, 'SignatureMethod'],
    [reference, 'Reference'],
    [transforms, 'Transforms'],
    [digest, 'DigestMethod'],
    [digestValue, 'DigestValue'],
  ];
  // A key that comes with the message is never looked at; ours are pinned.
  if (keyInfo !== undefined) places.push([keyInfo, 'KeyInfo']);
  const isAsIs = places.every(([element, name]) => element?.name === name && element.namespace === DSIG);
  if (!isAsIs || more.length + others.length + rest.length > 0) throw new SamlRefused('signature-form');
  const [first, second, ...third] = transforms!.children;
  const isPlain = algorithmOf(first) === ENVELOPED && third.length === 0;
  if (!isPlain || algorithmOf(second) !== EXCLUSIVE || algorithmOf(canonicalization) !== EXCLUSIVE) {
    throw new SamlRefused('signature-form');
  }
  const leaves = [method!, digest!, value!, digestValue!, first!];
  const prefixes = [...second!.children, ...canonicalization!.children];
  const isBare = leaves.every(({ children }) => children.length === 0);
  if (!isBare || !prefixes.every(({ name, namespace }) => name === 'InclusiveNamespaces' && namespace === EXCLUSIVE)) {
    throw new SamlRefused('signature-form');
  }
  if (!ID.test(id) || reference!.attributes.get('URI') !== `#${id}`) throw new SamlRefused('signature-reference');
  if (!SIGNATURE_METHODS.has(algorithmOf(method)) || !DIGEST_METHODS.has(algorithmOf(digest))) {
    throw new SamlRefused('signature-algorithm');
  }
}

function algorithmOf(element: XmlElement | undefined): string {
  return element?.attributes.get('Algorithm') ?? '';
}
