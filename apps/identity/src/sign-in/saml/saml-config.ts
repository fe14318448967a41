import { Name } from '@warder/contracts';
import { z } from 'zod';

const BrowserUrl = z.url().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname));
}, 'is not https (http is for this machine only)');

/** A provider that speaks SAML 2.0 (Web Browser SSO profile; requests by redirect, answers by POST). */
export const SamlProviderConfig = z.strictObject({
  kind: z.literal('saml'),
  /** In addresses and records; never changed, for people are known by it. */
  id: Name,
  /** On the button. */
  name: z.string().min(1).max(60),
  /** What the provider calls itself: `entityID` of its metadata, `Issuer` of its answers. */
  entityId: z.string().min(1).max(1_024),
  /** Where browsers are sent to sign in: its single sign-on service with the HTTP-Redirect binding. */
  ssoUrl: BrowserUrl,
  /**
   * Where browsers are sent when it had them sign out here: its single logout service with the HTTP-Redirect binding.
   * Absent, they see a page of ours, and a provider that posts by itself is answered 200.
   */
  logoutUrl: BrowserUrl.optional(),
  /** Certificates whose keys sign its answers, PEM or its base64; several while it changes keys. RSA, 2,048 bits or more. */
  certificates: z.array(z.string().min(1).max(16_384)).max(10).default([]),
  /** More of them: a file of PEM certificates, read at start. One certificate at least is needed, here or above. */
  certificateFile: z.string().min(1).optional(),
  /** What we are called there; unless said otherwise the URL of our metadata, `<publicUrl>/sign-in/metadata/<id>`. */
  ownEntityId: z.string().min(1).max(1_024).optional(),
  /** PEM files of the key that signs our requests, and of its certificate for our metadata; both, or requests are not signed. */
  signingKeyFile: z.string().min(1).optional(),
  signingCertificateFile: z.string().min(1).optional(),
  /** What it is to name people by, and what they are known by here; a transient name is never taken. */
  nameIdFormat: z.enum(['persistent', 'emailAddress', 'unspecified']).default('persistent'),
  /** Attributes, by `Name`: of the address (absent: the name itself where it is one), the name that is shown, the groups. */
  emailAttribute: z.string().min(1).max(300).optional(),
  nameAttribute: z.string().min(1).max(300).optional(),
  /** Absent: groups are not the provider's to tell. */
  groupsAttribute: z.string().min(1).max(300).optional(),
  /** Domains of addresses that are this provider's to tell: others that it tells are not taken. People of them are sent here. */
  emailDomains: z.array(z.string().min(1).max(253)).max(500).default([]),
  /** Whether somebody who is not known here becomes a principal at the first sign-in. */
  creates: z.boolean().default(true),
  /** Whether a principal that is there already is recognised by its address, if that is of `emailDomains`. */
  linksByEmail: z.boolean().default(true),
  /** What must bear a signature. Both; less only for a provider that cannot sign both. */
  signed: z.enum(['both', 'response', 'assertion']).default('both'),
  /** By how much the provider's clock may differ. */
  clockSkewSeconds: z.int().min(0).max(300).default(60),
  /** Whether people may begin at the provider: they are sent to begin here, what they bring is not taken. */
  idpInitiated: z.boolean().default(false),
});
export type SamlProviderConfig = z.infer<typeof SamlProviderConfig>;
