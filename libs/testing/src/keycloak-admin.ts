import { KEYCLOAK_ADMIN, KEYCLOAK_CLIENT, KEYCLOAK_REALM } from './keycloak-realm.js';

type Representation = Record<string, unknown> & { readonly id: string };

/** What Keycloak's administrator does, over its Admin REST API. */
export class KeycloakAdmin {
  constructor(private readonly url: string) {}

  /** Tells Keycloak where Warder stands: addresses of the client `warder`. @param providerId - Warder's id of Keycloak */
  async placeClient(origin: string, providerId: string): Promise<void> {
    const client = await this.found('clients', { clientId: KEYCLOAK_CLIENT.id });
    const attributes = {
      ...(client['attributes'] as object),
      'backchannel.logout.url': `${origin}/sign-in/backchannel/${providerId}`,
      'backchannel.logout.session.required': 'true',
    };
    const redirectUris = [`${origin}/sign-in/callback/${providerId}`];
    await this.ask('PUT', `clients/${client.id}`, { ...client, redirectUris, attributes });
  }

  /** Makes a client, as `POST /admin/realms/<realm>/clients` takes it. */
  async createClient(client: object): Promise<void> {
    await this.ask('POST', 'clients', client);
  }

  /** Ends a user's sessions, as the button _Sign out_ does. */
  async logOut(username: string): Promise<void> {
    const { id } = await this.found('users', { username, exact: 'true' });
    await this.ask('POST', `users/${id}/logout`);
  }

  /** Switches a user on or off, as the switch _Enabled_ does. */
  async setEnabled(username: string, enabled: boolean): Promise<void> {
    const user = await this.found('users', { username, exact: 'true' });
    await this.ask('PUT', `users/${user.id}`, { ...user, enabled });
  }

  /** Removes a user. */
  async removeUser(username: string): Promise<void> {
    const { id } = await this.found('users', { username, exact: 'true' });
    await this.ask('DELETE', `users/${id}`);
  }

  /** How many sessions a user has there. */
  async sessionCount(username: string): Promise<number> {
    const { id } = await this.found('users', { username, exact: 'true' });
    return (await this.ask<unknown[]>('GET', `users/${id}/sessions`)).length;
  }

  /** The one thing of a kind that the query finds. */
  private async found(kind: 'users' | 'clients', query: Record<string, string>): Promise<Representation> {
    const [found] = await this.ask<Representation[]>('GET', `${kind}?${new URLSearchParams(query).toString()}`);
    if (found === undefined) throw new Error(`Keycloak knows none of ${kind} with ${JSON.stringify(query)}`);
    return found;
  }

  private async ask<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.url}/admin/realms/${KEYCLOAK_REALM}/${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.token()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Keycloak: ${method} ${path}: ${answer.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Asked for each act, for it lives a minute. */
  private async token(): Promise<string> {
    const { name, password } = KEYCLOAK_ADMIN;
    const form = { grant_type: 'password', client_id: 'admin-cli', username: name, password };
    const place = `${this.url}/realms/master/protocol/openid-connect/token`;
    const answer = await fetch(place, { method: 'POST', body: new URLSearchParams(form) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Keycloak lets its administrator not in: ${answer.status} ${text}`);
    return (JSON.parse(text) as { access_token: string }).access_token;
  }
}
