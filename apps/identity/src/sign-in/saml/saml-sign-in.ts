import { randomBytes } from 'node:crypto';
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import type {
  Answer,
  AttemptSecrets,
  BroughtLogout,
  CompanyProvider,
  LoggedOut,
  PostedAnswers,
} from '../company-provider.js';
import type { SignedInThere, Vouched } from '../people.store.js';
import { printable } from '../printable.js';
import { type Asserted, readAssertion } from './saml-assertion.js';
import type { SamlProviderConfig } from './saml-config.js';
import type { SamlKeys } from './saml-keys.js';
import { readLogout } from './saml-logout.js';
import { metadataOf } from './saml-metadata.js';
import { NAME_ID } from './saml-names.js';
import { SamlRefused } from './saml-refused.js';
import { type Awaited, ensureResponse } from './saml-response.js';
import type { SamlClock } from './saml-times.js';
import { decoded, MESSAGE_BYTES_MAX, plainText, treeOf, type XmlElement } from './saml-xml.js';

/** What else than configuration it works with. */
export interface SamlParts {
  readonly keys: SamlKeys;
  readonly origin: string;
  wallMs(): number;
  /** Whether a message comes for the first time. */
  isFirst(messageId: string): Promise<boolean>;
}

/**
 * Sign-in at a provider that speaks SAML 2.0. The library makes requests and verifies signatures; before it a message
 * is refused that has any other form than the one it should have, and after it only what the signature covers is read.
 */
export class SamlSignIn implements CompanyProvider {
  readonly postedAnswers: PostedAnswers;
  readonly metadata: { readonly type: string; readonly text: string };
  private readonly ownEntityId: string;

  constructor(
    readonly provider: SamlProviderConfig,
    private readonly parts: SamlParts,
  ) {
    this.ownEntityId = provider.ownEntityId ?? this.at('metadata');
    this.postedAnswers = {
      // As base64, with room for what a form makes of `+` and `/`.
      bytesMax: MESSAGE_BYTES_MAX * 2,
      areWelcomeUnasked: provider.idpInitiated,
      read: (form) => ({ state: form.get('RelayState') ?? '', answer: form.get('SAMLResponse') ?? '' }),
    };
    const text = metadataOf({
      entityId: this.ownEntityId,
      answersAt: this.at('callback'),
      logoutAt: this.at('logout'),
      nameIdFormat: NAME_ID[provider.nameIdFormat],
      certificate: parts.keys.own?.certificate,
      wantsAssertionsSigned: provider.signed !== 'response',
    });
    this.metadata = { type: 'application/samlmetadata+xml', text };
  }

  secrets(): AttemptSecrets {
    return { requestId: `_${randomBytes(20).toString('hex')}` };
  }

  address(state: string, { requestId = '', freshSinceMs }: AttemptSecrets): Promise<string> {
    return this.library(requestId, freshSinceMs !== undefined).getAuthorizeUrlAsync(state, undefined, {});
  }

  /** @throws SamlRefused */
  async vouched({ posted }: Answer, { requestId = '', freshSinceMs }: AttemptSecrets): Promise<SignedInThere> {
    if (posted === undefined) throw new SamlRefused('no-answer');
    const { provider, parts } = this;
    const bytes = decoded(posted);
    const awaited = this.awaited(requestId);
    const read = (assertion: XmlElement): Asserted =>
      readAssertion(assertion, awaited, provider.nameIdFormat, this.clock());
    // Read once so that the record can say what is wrong with it, and again as the signature covers it: only that counts.
    read(ensureResponse(treeOf(plainText(bytes)), awaited, this.clock()));
    const asserted = read(treeOf(plainText(Buffer.from(await this.verified(bytes, requestId)))));
    if (!(await parts.isFirst(`saml/${provider.id}/${asserted.id}`))) throw new SamlRefused('replayed');
    // Keycloak and others write the moment of the answer for it: it says something only of an answer for which the person
    // was to be asked anew.
    const authenticatedAtMs = freshSinceMs === undefined ? null : asserted.authenticatedAtMs;
    return { ...this.vouchedBy(asserted), authenticatedAtMs };
  }

  /** @throws SamlRefused */
  async loggedOutBy(brought: BroughtLogout): Promise<LoggedOut> {
    const { provider, parts } = this;
    const { ownEntityId } = this;
    const awaited = { entityId: provider.entityId, ownEntityId, address: this.at('logout') };
    const format = provider.nameIdFormat;
    const request = await readLogout(brought, { awaited, format, keys: parts.keys, clock: this.clock() }, (bytes) =>
      this.library('').validatePostRequestAsync({ SAMLRequest: bytes.toString('base64') }),
    );
    return {
      subject: request.subject,
      messageId: request.id,
      answer: async () => {
        if (provider.logoutUrl === undefined) return undefined;
        const told = { ID: request.id } as Parameters<SAML['getLogoutResponseUrlAsync']>[0];
        return this.library('').getLogoutResponseUrlAsync(told, request.relayState, {}, true);
      },
    };
  }

  /** The assertion as its signature covers it. */
  private async verified(bytes: Buffer, requestId: string): Promise<string> {
    try {
      // What was looked at is what is verified: the same bytes, encoded anew.
      const answer = { SAMLResponse: bytes.toString('base64') };
      const { profile } = await this.library(requestId).validatePostResponseAsync(answer);
      const xml = profile?.getAssertionXml?.();
      if (xml === undefined) throw new SamlRefused('signature');
      return xml;
    } catch {
      // Its sentences quote the message.
      throw new SamlRefused('signature');
    }
  }

  private vouchedBy({ subject, attributes }: Asserted): Vouched {
    const { id, nameIdFormat, emailAttribute, nameAttribute, groupsAttribute } = this.provider;
    const one = (name: string | undefined): string | undefined =>
      name === undefined ? undefined : attributes.get(name)?.[0];
    const isNamedByAddress = emailAttribute === undefined && nameIdFormat === 'emailAddress';
    const email = this.trusted(isNamedByAddress ? subject : one(emailAttribute));
    // Keycloak writes a group as its path.
    const groups = attributes.get(groupsAttribute ?? '')?.map((name) => name.replace(/^\//, ''));
    return {
      provider: id,
      subject,
      name: printable(one(nameAttribute) ?? email ?? subject),
      email,
      groups: groupsAttribute === undefined ? null : (groups ?? []),
    };
  }

  /**
   * The address, where it is this provider's to tell. SAML has no word for a verified address, and one that its owner
   * may write into a profile would else be the way to somebody else's principal.
   */
  private trusted(email: string | undefined): string | null {
    const domain = /^[^@\s]{1,64}@([^@\s]{1,253})$/.exec(email ?? '')?.[1]?.toLowerCase();
    const isOwn = domain !== undefined && this.provider.emailDomains.some((each) => each.toLowerCase() === domain);
    return isOwn ? email! : null;
  }

  private at(page: 'callback' | 'logout' | 'metadata'): string {
    return `${this.parts.origin}/sign-in/${page}/${this.provider.id}`;
  }

  private awaited(requestId: string): Awaited {
    const { entityId, signed } = this.provider;
    return { entityId, ownEntityId: this.ownEntityId, address: this.at('callback'), requestId, signed };
  }

  private clock(): SamlClock {
    return { nowMs: this.parts.wallMs(), skewMs: this.provider.clockSkewSeconds * 1_000 };
  }

  /**
   * The library for one request: it knows that id and no other.
   * @param isFresh - whether the person is to be asked anew, be there a session or not (Core section 3.4.1)
   */
  private library(requestId: string, isFresh = false): SAML {
    const { provider, parts, ownEntityId } = this;
    const { own, certificates } = parts.keys;
    return new SAML({
      issuer: ownEntityId,
      audience: ownEntityId,
      callbackUrl: this.at('callback'),
      entryPoint: provider.ssoUrl,
      logoutUrl: provider.logoutUrl ?? '',
      idpIssuer: provider.entityId,
      idpCert: [...certificates],
      ...(own === undefined ? {} : { privateKey: own.key, publicCert: own.certificate }),
      signatureAlgorithm: 'sha256',
      digestAlgorithm: 'sha256',
      identifierFormat: NAME_ID[provider.nameIdFormat],
      // How somebody is authenticated is the provider's to decide: asking for a password keeps out who has a passkey.
      disableRequestedAuthnContext: true,
      forceAuthn: isFresh,
      wantAuthnResponseSigned: provider.signed !== 'assertion',
      wantAssertionsSigned: provider.signed !== 'response',
      acceptedClockSkewMs: provider.clockSkewSeconds * 1_000,
      generateUniqueId: () => (requestId === '' ? `_${randomBytes(20).toString('hex')}` : requestId),
      validateInResponseTo: ValidateInResponseTo.always,
      cacheProvider: {
        saveAsync: async () => null,
        getAsync: async (id) => (id === requestId && id !== '' ? new Date(parts.wallMs()).toISOString() : null),
        removeAsync: async () => null,
      },
    });
  }
}
