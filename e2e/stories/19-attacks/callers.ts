import { type AttackedScene, LEAK_SECRET, type Proof, SCIM_BEARER, SIGNALS_BEARER } from './attacked-scene.js';

export const EMAIL = 'root@example.com';

/** Everybody who knocks, by what they bring. */
export const CALLERS = [
  'nothing',
  'garbage',
  'basic',
  'no scheme',
  'query string',
  'form field',
  'cookie',
  'trusted-looking headers',
  'two authorizations',
  'expired',
  'revoked',
  'suspended owner',
  'other address',
  'read-only',
  'other server',
  'member',
  'stranger to the group',
  'operator',
  'auditor',
  'admin',
  'oauth',
  'oauth for another server',
  'oauth unsigned',
  'oauth signed by another key',
  'scim bearer',
  'leak reporter',
  'sender of signals',
] as const;
export type Caller = (typeof CALLERS)[number];

/** Principals whose objects others try to reach. */
export interface Cast {
  readonly proofs: Readonly<Record<Caller, Proof>>;
  readonly admin: { readonly principalId: string; readonly tokenId: string };
  readonly member: { readonly principalId: string; readonly tokenId: string; readonly token: string };
}

const bearer = (token: string): Proof => ({ headers: { authorization: `Bearer ${token}` } });

/** Makes one caller of each kind; those who are somebody are an administrator who may call everything. */
export async function castOf(scene: AttackedScene): Promise<Cast> {
  const { admin } = scene;
  const of = (name: string, roles: string[], groups: string[] = []) =>
    admin.member({ name, roles: roles as never, groups, email: `${name.toLowerCase()}@example.com` });
  const root = await of('Root', ['admin', 'member'], ['knowers']);
  const suspended = await of('Suspended', ['admin'], ['knowers']);
  await admin.ask('PATCH', `/identity/principals/${suspended.principalId}?wait=10000`, { status: 'suspended' });
  const [member, stranger] = [await of('Member', ['member'], ['knowers']), await of('Stranger', ['member'])];
  const [operator, auditor] = [await of('Operator', ['operator']), await of('Auditor', ['auditor'])];
  const cut = async (name: string, scopes: object) => (await admin.token(root.principalId, name, scopes)).token;
  const revoked = await admin.token(root.principalId, 'revoked');
  await admin.ask('DELETE', `/identity/tokens/${revoked.tokenId}?wait=10000`);
  const oauth = await scene.signedIn(root.principalId, EMAIL, 'known');
  const [head = '', claims = '', seal = ''] = oauth.split('.');
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { token } = root;
  return {
    admin: root,
    member,
    proofs: {
      nothing: {},
      garbage: bearer('wdr_garbage'),
      basic: { headers: { authorization: `Basic ${Buffer.from(`root:${token}`).toString('base64')}` } },
      'no scheme': { headers: { authorization: token } },
      'query string': { query: `access_token=${token}&token=${token}&api_key=${token}` },
      'form field': { form: `access_token=${token}` },
      cookie: { headers: { cookie: `access_token=${token}; wdr_session=${token}; authorization=Bearer ${token}` } },
      'trusted-looking headers': {
        headers: {
          'x-forwarded-user': root.principalId,
          'x-warder-principal': root.principalId,
          'x-forwarded-authorization': `Bearer ${token}`,
          'x-api-key': token,
          'proxy-authorization': `Bearer ${token}`,
        },
      },
      'two authorizations': { headers: { authorization: [`Bearer ${token}`, 'Bearer wdr_garbage'] } },
      expired: bearer(await scene.expired(root.principalId)),
      revoked: bearer(revoked.token),
      'suspended owner': bearer(suspended.token),
      'other address': bearer(await cut('elsewhere', { addresses: ['10.20.30.0/24'] })),
      'read-only': bearer(await cut('reader', { readOnly: true })),
      'other server': bearer(await cut('other', { virtualServers: ['other'] })),
      member: bearer(member.token),
      'stranger to the group': bearer(stranger.token),
      operator: bearer(operator.token),
      auditor: bearer(auditor.token),
      admin: bearer(token),
      oauth: bearer(oauth),
      'oauth for another server': bearer(await scene.signedIn(root.principalId, EMAIL, 'other')),
      'oauth unsigned': bearer(`${part({ alg: 'none', typ: 'at+jwt' })}.${claims}.`),
      'oauth signed by another key': bearer(`${head}.${claims}.${seal.split('').toReversed().join('')}`),
      'scim bearer': bearer(SCIM_BEARER),
      'leak reporter': bearer(LEAK_SECRET),
      'sender of signals': bearer(SIGNALS_BEARER),
    },
  };
}
