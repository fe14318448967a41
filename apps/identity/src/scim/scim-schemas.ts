import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from './scim-attributes.js';

/** An attribute as `/Schemas` describes it. @see RFC 7643 section 7 */
interface AttributeSchema {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'complex' | 'reference';
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readWrite' | 'readOnly' | 'immutable';
  readonly returned: 'default';
  readonly uniqueness: 'none' | 'server';
  readonly subAttributes?: readonly AttributeSchema[];
}

function attribute(name: string, other: Partial<AttributeSchema> = {}): AttributeSchema {
  return {
    name,
    type: 'string',
    multiValued: false,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...other,
  };
}

function complex(name: string, parts: readonly string[], other: Partial<AttributeSchema> = {}): AttributeSchema {
  return attribute(name, { type: 'complex', subAttributes: parts.map((part) => attribute(part)), ...other });
}

/** A list of values of one kind, of which one is the first. */
function plural(name: string): AttributeSchema {
  const parts = ['value', 'display', 'type'].map((part) => attribute(part));
  const subAttributes = [...parts, attribute('primary', { type: 'boolean' })];
  return attribute(name, { type: 'complex', multiValued: true, subAttributes });
}

const readOnly = { mutability: 'readOnly', multiValued: true } as const;

const SCHEMAS = [
  {
    id: USER_SCHEMA,
    name: 'User',
    description: 'A person; a principal of Warder',
    attributes: [
      attribute('userName', { required: true, uniqueness: 'server' }),
      complex('name', ['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix']),
      ...['displayName', 'nickName', 'title', 'userType', 'preferredLanguage', 'locale', 'timezone'].map((name) =>
        attribute(name),
      ),
      attribute('active', { type: 'boolean' }),
      ...['emails', 'phoneNumbers'].map(plural),
      complex('groups', ['value', '$ref', 'display'], readOnly),
    ],
  },
  {
    id: GROUP_SCHEMA,
    name: 'Group',
    description: 'A group of the directory; what it means here is said by groupRules',
    attributes: [
      attribute('displayName', { required: true, uniqueness: 'server' }),
      complex('members', ['value', '$ref', 'display', 'type'], { multiValued: true }),
    ],
  },
  {
    id: ENTERPRISE_SCHEMA,
    name: 'EnterpriseUser',
    description: 'Kept as it is sent',
    attributes: [
      ...['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map((name) => attribute(name)),
      complex('manager', ['value', '$ref', 'displayName']),
    ],
  },
] as const;

/** Every schema, with where it stands. */
export function scimSchemas(urlOf: (path: string) => string): Record<string, unknown>[] {
  return SCHEMAS.map((schema) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    ...schema,
    meta: { resourceType: 'Schema', location: urlOf(`Schemas/${schema.id}`) },
  }));
}

/** Every kind of resource. @see RFC 7643 section 6 */
export function scimResourceTypes(urlOf: (path: string) => string): Record<string, unknown>[] {
  const kind = (name: string, schema: string, extensions: readonly string[]) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint: `/${name}s`,
    schema,
    schemaExtensions: extensions.map((extension) => ({ schema: extension, required: false })),
    meta: { resourceType: 'ResourceType', location: urlOf(`ResourceTypes/${name}`) },
  });
  return [kind('User', USER_SCHEMA, [ENTERPRISE_SCHEMA]), kind('Group', GROUP_SCHEMA, [])];
}

/** What this server can do. @see RFC 7643 section 5 */
export function serviceProviderConfig(pageMax: number, urlOf: (path: string) => string): Record<string, unknown> {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: pageMax },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: 'A token of the configuration, scim.tokens',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: urlOf('ServiceProviderConfig') },
  };
}
