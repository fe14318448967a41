import { request } from 'undici';

const CORE_USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

type Resource = Readonly<Record<string, unknown>> & { readonly id: string };

/** An answer of SCIM as it came. */
export interface ScimAnswer {
  readonly status: number;
  readonly body: Resource & { readonly active?: boolean; readonly detail?: string };
}

/** A directory that pushes its people to Warder, in the words of Okta or of Entra. */
export class Directory {
  constructor(
    private readonly origin: string,
    private readonly bearer: string,
    private readonly dialect: 'okta' | 'entra',
  ) {}

  async createUser(name: string): Promise<string> {
    const address = `${name}@example.com`;
    const emails = [{ primary: true, type: 'work', value: address }];
    const user = { schemas: [CORE_USER], userName: address, displayName: name, emails, active: true };
    return this.made(await this.ask('POST', 'Users', user));
  }

  async createGroup(displayName: string): Promise<string> {
    return this.made(await this.ask('POST', 'Groups', { displayName }));
  }

  async join(groupId: string, userId: string): Promise<void> {
    const op = this.dialect === 'entra' ? 'Add' : 'add';
    await this.patch(`Groups/${groupId}`, { op, path: 'members', value: [{ value: userId }] });
  }

  /** Says whether the user is active: Okta by the whole user, Entra by text for a boolean. */
  async setActive(userId: string, isActive: boolean): Promise<ScimAnswer> {
    if (this.dialect === 'entra') {
      const value = isActive ? 'True' : 'False';
      return this.patch(`Users/${userId}`, { op: 'Replace', path: 'active', value });
    }
    const { body } = await this.ask('GET', `Users/${userId}`);
    return this.ask('PUT', `Users/${userId}`, { ...body, active: isActive });
  }

  async ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<ScimAnswer> {
    const answer = await request(`${this.origin}/scim/v2/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.bearer}`, 'content-type': 'application/scim+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: (text === '' ? {} : JSON.parse(text)) as ScimAnswer['body'] };
  }

  private async patch(path: string, operation: object): Promise<ScimAnswer> {
    const answer = await this.ask('PATCH', path, { schemas: [PATCH_OP], Operations: [operation] });
    if (answer.status !== 200) throw new Error(`PATCH ${path}: ${answer.status} ${answer.body.detail}`);
    return answer;
  }

  private made({ status, body }: ScimAnswer): string {
    if (status !== 201) throw new Error(`the directory could not make it: ${status} ${body.detail}`);
    return body.id;
  }
}
