import { POST_BINDING, PROTOCOL, REDIRECT_BINDING } from './saml-names.js';

/** What a provider is told of us. */
export interface SamlSelf {
  readonly entityId: string;
  readonly answersAt: string;
  readonly logoutAt: string;
  readonly nameIdFormat: string;
  /** Of the key that signs our requests, PEM. */
  readonly certificate: string | undefined;
  readonly wantsAssertionsSigned: boolean;
}

/** The document that a provider imports. @see SAML 2.0 Metadata section 2.4.4 */
export function metadataOf(self: SamlSelf): string {
  const { entityId, answersAt, logoutAt, nameIdFormat, certificate, wantsAssertionsSigned } = self;
  const key =
    certificate === undefined
      ? ''
      : `
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificate.replace(/-----[A-Z ]+-----|\s/g, '')}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${escaped(entityId)}">
  <md:SPSSODescriptor AuthnRequestsSigned="${certificate !== undefined}" WantAssertionsSigned="${wantsAssertionsSigned}" protocolSupportEnumeration="${PROTOCOL}">${key}
    <md:SingleLogoutService Binding="${POST_BINDING}" Location="${escaped(logoutAt)}"/>
    <md:SingleLogoutService Binding="${REDIRECT_BINDING}" Location="${escaped(logoutAt)}"/>
    <md:NameIDFormat>${nameIdFormat}</md:NameIDFormat>
    <md:AssertionConsumerService Binding="${POST_BINDING}" Location="${escaped(answersAt)}" index="0" isDefault="true"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
