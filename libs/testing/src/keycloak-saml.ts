import { KEYCLOAK_REALM } from './keycloak-realm.js';

/** What Warder is told of Keycloak's realm as a SAML provider. */
export interface KeycloakSaml {
  readonly entityId: string;
  readonly ssoUrl: string;
  /** Base64 of DER, of the key that signs. */
  readonly certificates: readonly [string];
}

/** Reads it out of the realm's own metadata. @param issuer - of the realm */
export async function keycloakSaml(issuer: string): Promise<KeycloakSaml> {
  const metadata = await (await fetch(`${issuer}/protocol/saml/descriptor`)).text();
  const [, entityId] = /entityID="([^"]+)"/.exec(metadata) ?? [];
  const [, certificate] = /<ds:X509Certificate>([^<]+)</.exec(metadata) ?? [];
  if (entityId === undefined || certificate === undefined)
    throw new Error(`Keycloak's realm ${KEYCLOAK_REALM} tells no SAML provider: ${metadata.slice(0, 200)}`);
  return { entityId, ssoUrl: `${issuer}/protocol/saml`, certificates: [certificate] };
}

/**
 * Warder as a SAML client, as `docs/providers/keycloak.md` has it set up.
 * @param origin - where browsers find Warder
 * @param providerId - Warder's id of Keycloak
 */
export function keycloakSamlClient(origin: string, providerId: string): object {
  const answersAt = `${origin}/sign-in/callback/${providerId}`;
  return {
    clientId: `${origin}/sign-in/metadata/${providerId}`,
    protocol: 'saml',
    enabled: true,
    frontchannelLogout: false,
    redirectUris: [answersAt],
    attributes: {
      saml_assertion_consumer_url_post: answersAt,
      saml_single_logout_service_url_post: `${origin}/sign-in/logout/${providerId}`,
      saml_name_id_format: 'persistent',
      saml_force_name_id_format: 'true',
      'saml.force.post.binding': 'true',
      'saml.server.signature': 'true',
      'saml.assertion.signature': 'true',
      'saml.signature.algorithm': 'RSA_SHA256',
      'saml.client.signature': 'false',
      'saml.encrypt': 'false',
      'saml.authnstatement': 'true',
    },
    protocolMappers: [
      {
        name: 'email',
        protocol: 'saml',
        protocolMapper: 'saml-user-property-mapper',
        config: { 'user.attribute': 'email', 'attribute.name': 'email', 'attribute.nameformat': 'Basic' },
      },
      {
        name: 'groups',
        protocol: 'saml',
        protocolMapper: 'saml-group-membership-mapper',
        config: { 'attribute.name': 'groups', 'attribute.nameformat': 'Basic', single: 'true', 'full.path': 'false' },
      },
    ],
  };
}
