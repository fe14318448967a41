import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Vouched } from '../people.store.js';
import {
  base64,
  ENTITY_ID,
  makeKey,
  responseOf,
  signed,
  signedBoth,
  signInRequestOf,
  type TestKey,
  type Told,
} from './saml-company.scene.js';
import { SamlProviderConfig } from './saml-config.js';
import { readKeys } from './saml-keys.js';
import { SamlSignIn } from './saml-sign-in.js';
import { wrapped, WRAPPINGS } from './saml-wrapping.scene.js';

const ORIGIN = 'https://warder.example';
const ADDRESS = `${ORIGIN}/sign-in/callback/corp`;
const AUDIENCE = `${ORIGIN}/sign-in/metadata/corp`;
const REQUEST = { requestId: '_our-request', address: ADDRESS, audience: AUDIENCE };
const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const SECOND =
  '<saml:AudienceRestriction><saml:Audience>urn:other</saml:Audience></saml:AudienceRestriction></saml:Conditions>';
let directory: string;
let key: TestKey;
let next: TestKey;
let stranger: TestKey;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'warder-saml-'));
  key = makeKey(directory, 'current');
  next = makeKey(directory, 'next');
  stranger = makeKey(directory, 'stranger');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const samlOf = (more: object = {}): SamlSignIn => {
  const corp = { kind: 'saml', id: 'corp', name: 'Corp', entityId: ENTITY_ID, ssoUrl: 'https://idp.corp.example/sso' };
  const config = SamlProviderConfig.parse({ ...corp, certificates: [key.certificate, next.certificate], ...more });
  const taken = new Set<string>();
  const isFirst = async (id: string) => !taken.has(id) && taken.add(id).has(id);
  return new SamlSignIn(config, { keys: readKeys(config), origin: ORIGIN, wallMs: () => Date.now(), isFirst });
};
const vouchedBy = (xml: string, saml = samlOf(), requestId = REQUEST.requestId): Promise<Vouched> =>
  saml.vouched({ query: '', state: '', posted: base64(xml) }, { requestId });
/** What becomes of a response: the subject that is vouched for, or the word of the refusal. */
const takes = (xml: string, saml = samlOf(), requestId?: string): Promise<string> =>
  vouchedBy(xml, saml, requestId).then(
    ({ subject }) => subject,
    (error: { code?: string; stack?: string }) => error.code ?? error.stack ?? '',
  );
const told = (wrong: Partial<Told>) => takes(signedBoth(responseOf(REQUEST, wrong), key));
const good = () => signedBoth(responseOf(REQUEST, {}), key);

describe('an answer of a SAML provider', () => {
  it('vouches for the subject that both signatures cover, by any key that is pinned', async () => {
    expect(await takes(good())).toBe('G-ana');
    expect(await takes(signedBoth(responseOf(REQUEST, {}), next))).toBe('G-ana');
  });

  it('is taken once', async () => {
    const saml = samlOf();
    const xml = good();
    expect([await takes(xml, saml), await takes(xml, saml)]).toEqual(['G-ana', 'saml.replayed']);
    const again = signedBoth(responseOf(REQUEST, { assertionId: '_same' }), key);
    const another = signedBoth(responseOf(REQUEST, { assertionId: '_same', subject: 'G-bo' }), key);
    expect([await takes(again, saml), await takes(another, saml)]).toEqual(['G-ana', 'saml.replayed']);
  });

  it('tells name, groups and an address of the provider’s domains, by the attributes that are configured', async () => {
    const attributes = {
      mail: ['ana@Corp.example'],
      shown: ['Ana\u00a0Ortiz'],
      groups: ['/Developers', 'Night Shift'],
    };
    const names = { emailAttribute: 'mail', nameAttribute: 'shown', groupsAttribute: 'groups' };
    const of = (more: object, wrong: Partial<Told> = {}) =>
      vouchedBy(signedBoth(responseOf(REQUEST, { attributes, ...wrong }), key), samlOf({ ...names, ...more }));
    expect(await of({ emailDomains: ['corp.example'] })).toEqual({
      provider: 'corp',
      subject: 'G-ana',
      name: 'Ana\u00a0Ortiz',
      email: 'ana@Corp.example',
      groups: ['Developers', 'Night Shift'],
      authenticatedAtMs: null,
    });
    expect((await of({ emailDomains: ['other.example'] })).email).toBeNull();
    expect((await of({})).email).toBeNull();
    expect((await of({ groupsAttribute: undefined })).groups).toBeNull();
    expect((await of({}, { attributes: {} })).groups).toEqual([]);
  });

  it('can name people by their address, which is theirs if its domain is the provider’s', async () => {
    const format = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
    const xml = () => signedBoth(responseOf(REQUEST, { format, subject: 'ana@corp.example' }), key);
    const saml = (emailDomains: string[]) => samlOf({ nameIdFormat: 'emailAddress', emailDomains });
    const { subject, email } = await vouchedBy(xml(), saml(['corp.example']));
    expect([subject, email]).toEqual(['ana@corp.example', 'ana@corp.example']);
    expect((await vouchedBy(xml(), saml([]))).email).toBeNull();
  });
});

describe('a SAML response is refused', () => {
  const hour = 3_600_000;
  it.each<[string, Partial<Told>, string]>([
    ['for a foreign audience', { audience: 'https://other.example' }, 'saml.audience'],
    ['for a foreign destination', { destination: 'https://other.example/acs' }, 'saml.destination'],
    ['for a foreign recipient', { recipient: 'https://other.example/acs' }, 'saml.recipient'],
    ['for another request', { requestId: '_another' }, 'saml.in-response-to'],
    ['for another request in its confirmation only', { confirmedRequestId: '_another' }, 'saml.in-response-to'],
    ['by a foreign issuer', { issuer: 'https://evil.example' }, 'saml.issuer'],
    ['with an assertion by a foreign issuer', { assertionIssuer: 'https://evil.example' }, 'saml.issuer'],
    ['that says no success', { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }, 'saml.status'],
    ['issued long ago', { issuedAtMs: Date.now() - hour, untilMs: Date.now() + hour }, 'saml.issue-instant'],
    ['issued in the future', { issuedAtMs: Date.now() + hour }, 'saml.issue-instant'],
    ['that is over', { untilMs: Date.now() - hour }, 'saml.expired'],
    ['whose confirmation is over', { confirmedUntilMs: Date.now() - hour }, 'saml.expired'],
    ['that has not begun', { fromMs: Date.now() + hour }, 'saml.expired'],
    ['with a transient name', { format: PERSISTENT.replace('persistent', 'transient') }, 'saml.name-id-format'],
    ['with a name of another format', { format: 'urn:x' }, 'saml.name-id-format'],
    ['with an empty name', { subject: ' ' }, 'saml.name-id'],
  ])('%s', async (_, wrong, code) => {
    expect(await told(wrong)).toBe(code);
  });

  it.each<[string, (xml: string) => string, string]>([
    [
      'whose assertion has no audience',
      (xml) => xml.replace(/<saml:AudienceRestriction>.*?<\/saml:Aud.*?n>/, ''),
      'audience',
    ],
    [
      'whose assertion has no conditions',
      (xml) => xml.replace(/<saml:Conditions.*<\/saml:Conditions>/, ''),
      'conditions',
    ],
    ['with a condition that is not known', (xml) => xml.replace('</saml:Conditions>', '<saml:X/>$&'), 'conditions'],
    ['for a second audience that is not ours', (xml) => xml.replace('</saml:Conditions>', SECOND), 'audience'],
    ['confirmed for whoever holds a key', (xml) => xml.replace('cm:bearer', 'cm:holder-of-key'), 'confirmation'],
    ['whose confirmation never ends', (xml) => xml.replace(/ NotOnOrAfter="[^"]+"\/>/, '/>'), 'confirmation'],
    [
      'that does not say how somebody signed in',
      (xml) => xml.replace(/<saml:AuthnSt.*AuthnStatement>/, ''),
      'authentication',
    ],
    [
      'of a session that is over',
      (xml) => xml.replace(' SessionIndex', ' SessionNotOnOrAfter="2020-01-01T00:00:00Z"$&'),
      'authentication',
    ],
    ['with a moment of no time zone', (xml) => xml.replace(/(IssueInstant="[^"]+)Z"/g, '$1"'), 'issue-instant'],
    ['of another version', (xml) => xml.replaceAll('Version="2.0"', 'Version="1.1"'), 'version'],
    ['with two names', (xml) => xml.replace(/<saml:NameID.*<\/saml:NameID>/, '$&$&'), 'name-id'],
    [
      'with a name that is another’s to know',
      (xml) => xml.replace('<saml:NameID', '$& SPNameQualifier="urn:other"'),
      'name-id',
    ],
    [
      'with a name of another provider',
      (xml) => xml.replace('<saml:NameID', '$& NameQualifier="urn:other"'),
      'name-id',
    ],
    ['with an encrypted assertion', (xml) => xml.replace(/saml:Assertion\b/g, 'saml:EncryptedAssertion'), 'assertion'],
    ['of another kind', (xml) => xml.replace(/samlp:Response\b/g, 'samlp:ArtifactResponse'), 'no-response'],
  ])('%s', async (_, wrong, code) => {
    const right = responseOf(REQUEST, {});
    const xml = wrong(right);
    expect(xml).not.toBe(right);
    const names = ['Assertion', 'Response'].filter((name) => xml.includes(`:${name} `));
    expect(await takes(names.reduce((text, name) => signed(text, name, key), xml))).toBe(`saml.${code}`);
  });

  it('that is past its end by no more than the clocks may differ: it is not', async () => {
    expect(await told({ untilMs: Date.now() - 30_000, confirmedUntilMs: Date.now() - 30_000 })).toBe('G-ana');
  });

  it('for the request of another attempt, be it of the same browser', async () => {
    expect(await takes(good(), samlOf(), '_another-of-ours')).toBe('saml.in-response-to');
    expect(await takes(good(), samlOf(), '')).toBe('saml.in-response-to');
  });

  it('without a signature, or with one of the two, unless the configuration says so in so many words', async () => {
    const plain = responseOf(REQUEST, {});
    const response = signed(plain, 'Response', key);
    const assertion = signed(plain, 'Assertion', key);
    const all = async (more: object) =>
      Promise.all([plain, response, assertion].map((xml) => takes(xml, samlOf(more))));
    expect(await all({})).toEqual(['saml.response-unsigned', 'saml.assertion-unsigned', 'saml.response-unsigned']);
    expect(await all({ signed: 'response' })).toEqual(['saml.response-unsigned', 'G-ana', 'saml.response-unsigned']);
    expect(await all({ signed: 'assertion' })).toEqual(['saml.assertion-unsigned', 'saml.assertion-unsigned', 'G-ana']);
    for (const off of ['none', 'neither', false, null]) expect(() => samlOf({ signed: off })).toThrow('Invalid option');
  });

  it('that was altered after it was signed', async () => {
    expect(await takes(good().replace('G-ana', 'G-bob'))).toBe('saml.signature');
    expect(await takes(good().replace('SessionIndex="s1"', 'SessionIndex="s2"'))).toBe('saml.signature');
    const onlyResponse = signed(signed(responseOf(REQUEST, {}), 'Assertion', stranger), 'Response', key);
    expect(await takes(onlyResponse)).toBe('saml.signature');
    const onlyAssertion = signed(signed(responseOf(REQUEST, {}), 'Assertion', key), 'Response', stranger);
    expect(await takes(onlyAssertion)).toBe('saml.signature');
  });

  it('by a key that only the message itself vouches for (KeyInfo)', async () => {
    const xml = signedBoth(responseOf(REQUEST, {}), stranger);
    expect(xml).toContain(stranger.certificate.split('\n')[1]);
    expect(await takes(xml)).toBe('saml.signature');
  });

  it('with SHA-1, with the public key for a secret (HMAC), or canonicalized with comments', async () => {
    const of = (how: Parameters<typeof signedBoth>[2]) => takes(signedBoth(responseOf(REQUEST, {}), key, how));
    expect(await of({ algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })).toBe('saml.signature-algorithm');
    expect(await of({ digest: 'http://www.w3.org/2000/09/xmldsig#sha1' })).toBe('saml.signature-algorithm');
    expect(await of({ isSecretPublic: true })).toBe('saml.signature-algorithm');
    const withComments = 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments';
    expect(await of({ canonicalization: withComments })).toBe('saml.signature-form');
  });

  it.each(Object.keys(WRAPPINGS))('with something wrapped in: %s', async (name) => {
    const forged = wrapped(good(), WRAPPINGS[name]!, 'G-mallory');
    expect(forged).toContain('G-mallory');
    for (const how of ['both', 'response', 'assertion']) {
      expect(await takes(forged, samlOf({ signed: how }))).toMatch(/^saml\.(signature|assertion|id-twice)/);
    }
  });

  it('with an assertion beside the signed one, in front of it or behind it', async () => {
    const evil = /<saml:Assertion .*<\/saml:Assertion>/.exec(responseOf(REQUEST, { subject: 'G-mallory' }))![0];
    const xml = signed(responseOf(REQUEST, {}), 'Assertion', key);
    for (const forged of [
      xml.replace('<saml:Assertion ', `${evil}$&`),
      xml.replace('</samlp:Response>', `${evil}$&`),
    ]) {
      expect(await takes(forged, samlOf({ signed: 'assertion' }))).toBe('saml.assertion');
    }
  });

  it('with a comment in a name, which would cut it short for some readers', async () => {
    const xml = signedBoth(responseOf(REQUEST, { subject: 'G-ana.evil' }), key);
    expect(await takes(xml)).toBe('G-ana.evil');
    expect(await takes(xml.replace('G-ana.evil', 'G-ana<!-- -->.evil'))).toBe('saml.markup');
    expect(await takes(xml.replace('G-ana.evil', 'G-ana<?p ?>.evil'))).toBe('saml.markup');
    expect(await takes(xml.replace('G-ana.evil', '<![CDATA[G-ana]]>.evil'))).toBe('saml.markup');
    expect(await takes(xml.replace('G-ana.evil', '<b>G-ana</b>.evil'))).toBe('saml.name-id');
  });

  it('in which an id stands twice, in whatever case and namespace', async () => {
    const xml = good();
    const id = / ID="(_[^"]+)"/.exec(xml)![1]!;
    for (const name of ['ID', 'Id', 'id', 'xml:id']) {
      expect(await takes(xml.replace('<samlp:StatusCode ', `$&${name}="${id}" `))).toBe('saml.id-twice');
    }
  });

  it('with more than one signature over an element, one outside of it, or one of another form', async () => {
    const xml = good();
    const signature = /<ds:Signature .*?<\/ds:Signature>/.exec(xml)![0];
    expect(await takes(xml.replace(signature, signature + signature))).toBe('saml.signature-form');
    expect(await takes(xml.replace('</samlp:Status>', `${signature}$&`))).toBe('saml.signature-reference');
    const enveloped = '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>';
    const xpath = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>';
    expect(xml).toContain(enveloped);
    expect(await takes(xml.replace(enveloped, xpath))).toBe('saml.signature-form');
    expect(await takes(xml.replace(enveloped, enveloped + enveloped))).toBe('saml.signature-form');
    const reference = /<ds:Reference .*?<\/ds:Reference>/.exec(xml)![0];
    expect(await takes(xml.replace(reference, reference + reference))).toBe('saml.signature-form');
    expect(await takes(xml.replace(/URI="#_[^"]+"/, 'URI=""'))).toBe('saml.signature-reference');
  });
});

describe('what is no message', () => {
  const posted = (text: string) =>
    samlOf()
      .vouched({ query: '', state: '', posted: text }, { requestId: REQUEST.requestId })
      .catch((error: { code?: string }) => error.code);

  it('is refused unread when it has a document type: external entities (XXE), bombs of entities', async () => {
    const body = good();
    const xxe = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
    expect(await takes(`${xxe}${body.replace('G-ana', '&x;')}`)).toBe('saml.markup');
    const laughs = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>';
    expect(await takes(`${laughs}${body}`)).toBe('saml.markup');
    expect(await takes(`<?xml version="1.0"?>\n<!DOCTYPE r SYSTEM "http://evil.example/x.dtd">${body}`)).toBe(
      'saml.markup',
    );
    expect(await takes(body.replace('G-ana', '&x;'))).toBe('saml.markup');
    expect(await takes(`<?xml version="1.0" encoding="UTF-16"?>${body}`)).toBe('saml.markup');
  });

  it('is refused when it is too long, too deep, of too many parts, or not well-formed', async () => {
    expect(await posted('A'.repeat(300_000))).toBe('saml.too-long');
    expect(await posted(base64(`<a>${'x'.repeat(131_072)}</a>`))).toBe('saml.too-long');
    expect(await posted(base64(`${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`))).toBe('saml.too-deep');
    expect(await posted(base64(`<a>${'<b/>'.repeat(20_000)}</a>`))).toBe('saml.too-deep');
    expect(await posted(base64('<a><b></a>'))).toBe('saml.malformed');
    expect(await posted(base64('<a b="1" b="2"/>'))).toBe('saml.malformed');
    expect(await posted(base64('<a b=1/>'))).toBe('saml.malformed');
    expect(await posted(base64('no markup at all'))).toBe('saml.malformed');
    expect(await posted(base64('<a/>'))).toBe('saml.no-response');
  });

  it('is refused when it is not base64 of UTF-8, or not there', async () => {
    expect(await posted('')).toBe('saml.encoding');
    expect(await posted('PGE-')).toBe('saml.encoding');
    expect(await posted('PGEvPg=')).toBe('saml.encoding');
    expect(await posted(Buffer.from([0x3c, 0x61, 0xff, 0x2f, 0x3e]).toString('base64'))).toBe('saml.encoding');
    expect(await posted(base64('<a>\u0000</a>'))).toBe('saml.markup');
  });
});

describe('a request to a SAML provider', () => {
  it('says who we are, where the answer goes and how people are to be named, with an id of its own', async () => {
    const saml = samlOf({ nameIdFormat: 'emailAddress' });
    const [first, second] = [saml.secrets(), saml.secrets()];
    expect(first).not.toEqual(second);
    const url = await saml.address('the-state', first);
    expect(url.startsWith('https://idp.corp.example/sso?')).toBe(true);
    const asked = signInRequestOf(url);
    expect([asked.requestId, asked.address, asked.audience, asked.relayState]).toEqual([
      first['requestId'],
      ADDRESS,
      AUDIENCE,
      'the-state',
    ]);
    expect(asked.xml).toContain('urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress');
    expect(new URL(url).searchParams.has('Signature')).toBe(false);
  });

  it('is signed where we have a key, and the metadata shows its certificate', async () => {
    const files = { signingKeyFile: stranger.keyFile, signingCertificateFile: stranger.certificateFile };
    const saml = samlOf(files);
    const { searchParams } = new URL(await saml.address('the-state', saml.secrets()));
    expect(searchParams.get('SigAlg')).toBe('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256');
    expect(searchParams.get('Signature')).toMatch(/^[A-Za-z0-9+/]{342}==$/);
    const { text } = saml.metadata;
    expect(text).toContain(`entityID="${AUDIENCE}"`);
    expect(text).toContain('AuthnRequestsSigned="true" WantAssertionsSigned="true"');
    expect(text).toContain(`HTTP-POST" Location="${ADDRESS}" index="0"`);
    expect(text).toContain(stranger.certificate.split('\n')[1]);
    expect(samlOf({ ownEntityId: 'urn:"a&b' }).metadata.text).toContain('entityID="urn:&#34;a&#38;b"');
  });

  it('is not made with keys that cannot be used, and the start says which', () => {
    expect(() => samlOf({ certificates: [] })).toThrow('no certificate says who signs its answers');
    expect(() => samlOf({ certificates: ['bm8gY2VydGlmaWNhdGU='] })).toThrow('should be a certificate is none');
    const curve = makeKey(directory, 'curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']);
    const short = makeKey(directory, 'short', ['rsa:1024']);
    for (const { certificate } of [curve, short]) {
      expect(() => samlOf({ certificates: [certificate] })).toThrow('is not RSA of 2048 bits or more');
    }
    expect(() => samlOf({ signingKeyFile: key.keyFile })).toThrow('belong together');
    const mixed = { signingKeyFile: key.keyFile, signingCertificateFile: next.certificateFile };
    expect(() => samlOf(mixed)).toThrow('is not of the key');
    const bundle = samlOf({ certificates: [], certificateFile: next.certificateFile });
    expect(bundle.provider.certificates).toEqual([]);
    for (const ssoUrl of ['http://idp.example/sso', 'javascript:alert(1)'])
      expect(() => samlOf({ ssoUrl })).toThrow('is not https');
  });
});
