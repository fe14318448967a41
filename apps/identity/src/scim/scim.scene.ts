import type { AuditRecord, PrincipalState } from '@warder/contracts';
import request from 'supertest';
import { IdentityScene } from '../identity.scene.js';

export const OKTA = 'okta-token-of-thirty-two-characters-or-more';
export const ENTRA = 'entra-token-of-thirty-two-characters-or-more';
/** SHA-256 of `ENTRA`, as a configuration may have it. */
export const ENTRA_DIGEST = 'sha256:f03f1cfc54b37779a5480e9047520353722d14d30132fa486a441b3ba743fbd2';

export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const CORE_USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** Identity with a directory beside it. */
export class ScimScene {
  private constructor(readonly identity: IdentityScene) {}

  static async start(config: object = {}): Promise<ScimScene> {
    const identity = await IdentityScene.create();
    const { scim, ...others } = config as { scim?: object };
    await identity.start({ scim: { tokens: { okta: OKTA, entra: ENTRA_DIGEST }, ...scim }, ...others });
    return new ScimScene(identity);
  }

  /** Asks `/scim/v2`; Okta unless another bearer is given. */
  as(bearer = OKTA): ReturnType<typeof request.agent> {
    const agent = request.agent(this.identity.running!.url);
    return agent.set('authorization', `Bearer ${bearer}`).set('content-type', 'application/scim+json');
  }

  /** A user as Okta creates one; the id. */
  async user(name: string, more: object = {}): Promise<string> {
    const body = {
      schemas: [CORE_USER],
      userName: `${name}@example.com`,
      name: { givenName: name, familyName: 'Ortiz' },
      emails: [{ primary: true, value: `${name}@example.com`, type: 'work' }],
      displayName: `${name} Ortiz`,
      externalId: `00u-${name}`,
      groups: [],
      active: true,
      ...more,
    };
    const made = await this.as().post('/scim/v2/Users').send(body);
    if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
    return made.body.id as string;
  }

  patch(path: string, operations: readonly object[], bearer = OKTA): request.Test {
    return this.as(bearer)
      .patch(`/scim/v2/${path}`)
      .send({ schemas: [PATCH_OP], Operations: operations });
  }

  /** The principal as an administrator sees it. */
  async principal(id: string): Promise<PrincipalState> {
    return (await this.identity.ask('GET', `/principals/${id}`)).body as unknown as PrincipalState;
  }

  async status(id: string): Promise<string> {
    return (await this.principal(id)).status;
  }

  records(method: string): AuditRecord[] {
    return this.identity.records.filter((record) => record.method === `admin/identity/${method}`);
  }
}
