/** The company's realm at Keycloak, and how Warder is known there. */
export const KEYCLOAK_REALM = 'company';
export const KEYCLOAK_CLIENT = { id: 'warder', secret: 'a-secret-that-keycloak-gave-to-warder' } as const;
/** Of the realm `master`, which administers the others. */
export const KEYCLOAK_ADMIN = { name: 'admin', password: 'admin' } as const;

/** Somebody of the company; the user name is the part of the address before the `@`. */
export interface KeycloakPerson {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  /** Paths of groups. */
  readonly groups: readonly string[];
}

export const KEYCLOAK_PEOPLE = {
  ana: { name: 'Ana Ortiz', email: 'ana@corp.example', password: 'ana-at-the-company', groups: ['/knowers'] },
  ben: { name: 'Ben Lund', email: 'ben@corp.example', password: 'ben-at-the-company', groups: ['/knowers'] },
  cleo: { name: 'Cleo Rey', email: 'cleo@corp.example', password: 'cleo-at-the-company', groups: ['/knowers'] },
} as const satisfies Record<string, KeycloakPerson>;

/** Names of the realm's groups in tokens, as `docs/providers/keycloak.md` says to set it up. */
const GROUPS_IN_TOKENS = {
  name: 'groups',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-group-membership-mapper',
  config: {
    'claim.name': 'groups',
    'full.path': 'false',
    'id.token.claim': 'true',
    'access.token.claim': 'false',
    'userinfo.token.claim': 'false',
  },
};

/** The realm as Keycloak imports it; where Warder stands is told to the running Keycloak. */
export function keycloakRealm(): object {
  const users = Object.entries(KEYCLOAK_PEOPLE).map(([username, { name, email, password, groups }]) => ({
    username,
    email,
    emailVerified: true,
    firstName: name.split(' ')[0],
    lastName: name.split(' ')[1],
    enabled: true,
    groups,
    // What Keycloak gives everybody whom it does not import; `offline_access` is among them.
    realmRoles: [`default-roles-${KEYCLOAK_REALM}`],
    credentials: [{ type: 'password', value: password, temporary: false }],
  }));
  return {
    realm: KEYCLOAK_REALM,
    displayName: 'The company',
    enabled: true,
    // Loopback only, as the tests are.
    sslRequired: 'none',
    groups: [{ name: 'knowers' }],
    users,
    clients: [
      {
        clientId: KEYCLOAK_CLIENT.id,
        name: 'Warder',
        enabled: true,
        protocol: 'openid-connect',
        publicClient: false,
        secret: KEYCLOAK_CLIENT.secret,
        standardFlowEnabled: true,
        implicitFlowEnabled: false,
        directAccessGrantsEnabled: false,
        serviceAccountsEnabled: false,
        redirectUris: [],
        attributes: { 'pkce.code.challenge.method': 'S256' },
        protocolMappers: [GROUPS_IN_TOKENS],
      },
    ],
  };
}
