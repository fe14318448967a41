import { execFileSync } from 'node:child_process';
import { createSign, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';

export const ENTITY_ID = 'https://idp.corp.example/saml';
const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

/** A key of the provider's, with its certificate; PEM and files. */
export interface TestKey {
  readonly key: string;
  readonly certificate: string;
  readonly keyFile: string;
  readonly certificateFile: string;
}

/** Makes one by openssl. */
export function makeKey(directory: string, name: string, kind: readonly string[] = ['rsa:2048']): TestKey {
  const [keyFile, certificateFile] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const files = ['-keyout', keyFile, '-out', certificateFile, '-subj', `/CN=${name}`, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-newkey', ...kind, ...files], { stdio: 'ignore' });
  const [key, certificate] = [readFileSync(keyFile, 'utf8'), readFileSync(certificateFile, 'utf8')];
  return { key, certificate, keyFile, certificateFile };
}

/** What a response tells; anything of it can be made wrong. */
export interface Told {
  readonly subject: string;
  readonly format: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  readonly requestId: string;
  readonly confirmedRequestId: string;
  readonly destination: string;
  readonly recipient: string;
  readonly audience: string;
  readonly issuer: string;
  readonly assertionIssuer: string;
  readonly status: string;
  readonly issuedAtMs: number;
  /** When the person was authenticated, as `AuthnInstant` says it. */
  readonly authenticatedAt: string;
  /** When the conditions begin and end, and the confirmation ends. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly confirmedUntilMs: number;
  readonly assertionId: string;
}

const instant = (ms: number): string => new Date(ms).toISOString();
const id = (): string => `_${randomBytes(16).toString('hex')}`;

/** A response as it should be, to the request with this id, but for what is said to be otherwise. */
export function responseOf(to: { requestId: string; address: string; audience: string }, wrong: Partial<Told>): string {
  const nowMs = wrong.issuedAtMs ?? Date.now();
  const told: Told = {
    subject: 'G-ana',
    format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    attributes: {},
    requestId: to.requestId,
    confirmedRequestId: to.requestId,
    destination: to.address,
    recipient: to.address,
    audience: to.audience,
    issuer: ENTITY_ID,
    assertionIssuer: ENTITY_ID,
    status: 'urn:oasis:names:tc:SAML:2.0:status:Success',
    issuedAtMs: nowMs,
    authenticatedAt: instant(nowMs),
    fromMs: nowMs - 1_000,
    untilMs: nowMs + 300_000,
    confirmedUntilMs: nowMs + 300_000,
    assertionId: id(),
    ...wrong,
  };
  const attributes = Object.entries(told.attributes).map(
    ([name, values]) =>
      `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
  );
  return (
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id()}" Version="2.0" IssueInstant="${instant(told.issuedAtMs)}" Destination="${told.destination}" InResponseTo="${told.requestId}">` +
    `<saml:Issuer>${told.issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${told.status}"/></samlp:Status>` +
    `<saml:Assertion ID="${told.assertionId}" Version="2.0" IssueInstant="${instant(told.issuedAtMs)}"><saml:Issuer>${told.assertionIssuer}</saml:Issuer>` +
    `<saml:Subject><saml:NameID Format="${told.format}">${told.subject}</saml:NameID>` +
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="${told.recipient}" InResponseTo="${told.confirmedRequestId}" NotOnOrAfter="${instant(told.confirmedUntilMs)}"/></saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${instant(told.fromMs)}" NotOnOrAfter="${instant(told.untilMs)}"><saml:AudienceRestriction><saml:Audience>${told.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
    `<saml:AuthnStatement AuthnInstant="${told.authenticatedAt}" SessionIndex="s1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
    (attributes.length === 0 ? '' : `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>`) +
    `</saml:Assertion></samlp:Response>`
  );
}

/** How a signature is made; anything of it can be made wrong. */
export interface Signing {
  readonly algorithm?: string;
  readonly digest?: string;
  readonly canonicalization?: string;
  /** HMAC, with the public certificate for a secret. */
  readonly isSecretPublic?: boolean;
}

/** Signs the one element of this name. */
export function signed(xml: string, name: string, { key, certificate }: TestKey, how: Signing = {}): string {
  const isHmac = how.isSecretPublic === true;
  const signer = new SignedXml({
    privateKey: isHmac ? certificate : key,
    publicCert: certificate,
    signatureAlgorithm: (isHmac
      ? 'http://www.w3.org/2000/09/xmldsig#hmac-sha1'
      : (how.algorithm ?? RSA_SHA256)) as never,
    canonicalizationAlgorithm: (how.canonicalization ?? EXCLUSIVE) as never,
  });
  if (isHmac) signer.enableHMAC();
  const xpath = `//*[local-name(.)='${name}']`;
  const transforms = [ENVELOPED, how.canonicalization ?? EXCLUSIVE];
  signer.addReference({ xpath, transforms, digestAlgorithm: (how.digest ?? SHA256) as never });
  const reference = `${xpath}/*[local-name(.)='Issuer']`;
  signer.computeSignature(xml, { prefix: 'ds', location: { reference, action: 'after' } });
  return signer.getSignedXml();
}

/** Signs the assertion, then the response around it. */
export function signedBoth(xml: string, key: TestKey, how: Signing = {}): string {
  return signed(signed(xml, 'Assertion', key, how), 'Response', key, how);
}

export function base64(xml: string): string {
  return Buffer.from(xml).toString('base64');
}

/** A request to sign somebody out, unsigned. */
export function logoutRequestOf(
  destination: string,
  subject: string,
  wrong: Partial<Told> & { id?: string } = {},
): string {
  const { issuer = ENTITY_ID, issuedAtMs = Date.now(), untilMs = Date.now() + 60_000 } = wrong;
  const { format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' } = wrong;
  return (
    `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${wrong.id ?? id()}" Version="2.0" IssueInstant="${instant(issuedAtMs)}" NotOnOrAfter="${instant(untilMs)}" Destination="${destination}">` +
    `<saml:Issuer>${issuer}</saml:Issuer><saml:NameID Format="${format}">${subject}</saml:NameID><samlp:SessionIndex>s1</samlp:SessionIndex></samlp:LogoutRequest>`
  );
}

/** The query of a signed message in an address (Bindings section 3.4.4.1). */
export function signedQuery(
  xml: string | Buffer,
  { key }: TestKey,
  { relayState = '', algorithm = RSA_SHA256 } = {},
): string {
  const relay = relayState === '' ? '' : `&RelayState=${encodeURIComponent(relayState)}`;
  const message = encodeURIComponent(deflateRawSync(xml).toString('base64'));
  const query = `SAMLRequest=${message}${relay}&SigAlg=${encodeURIComponent(algorithm)}`;
  const signature = createSign(algorithm.endsWith('sha1') ? 'RSA-SHA1' : 'RSA-SHA256')
    .update(query)
    .sign(key, 'base64');
  return `${query}&Signature=${encodeURIComponent(signature)}`;
}

/** A request to sign in, as it came to the provider. */
export interface SignInRequest {
  readonly requestId: string;
  readonly address: string;
  readonly audience: string;
  readonly relayState: string;
  readonly xml: string;
}

export function signInRequestOf(address: string): SignInRequest {
  const { searchParams } = new URL(address);
  const xml = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest') ?? '', 'base64')).toString('utf8');
  const of = (pattern: RegExp): string => pattern.exec(xml)?.[1] ?? '';
  return {
    requestId: of(/ ID="([^"]+)"/),
    address: of(/AssertionConsumerServiceURL="([^"]+)"/),
    audience: of(/<saml:Issuer[^>]*>([^<]+)</),
    relayState: searchParams.get('RelayState') ?? '',
    xml,
  };
}

/** The company's provider on a site of its own, whose page posts the answer. */
export class SamlCompany {
  private readonly server: Server;
  port = 0;
  /** Who is signed in there. */
  person: Partial<Told> = {};
  /** The last request to sign in. */
  asked: SignInRequest | undefined;

  constructor(readonly key: TestKey) {
    this.server = createServer((request, response) => {
      const asked = signInRequestOf(`http://localhost${request.url}`);
      this.asked = asked;
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(pageOf(asked, base64(signedBoth(responseOf(asked, this.person), this.key))));
    });
  }

  /** Another site than 127.0.0.1, for a browser. */
  get ssoUrl(): string {
    return `http://localhost:${this.port}/sso`;
  }

  async listen(): Promise<void> {
    this.server.listen(0);
    await new Promise((resolve) => this.server.once('listening', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function pageOf({ address, relayState }: SignInRequest, answer: string): string {
  return `<form method="post" action="${address}"><input type="hidden" name="SAMLResponse" value="${answer}"/><input type="hidden" name="RelayState" value="${relayState}"/></form>`;
}
