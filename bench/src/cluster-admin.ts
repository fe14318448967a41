import type { StartedCluster } from '@warder/testing';
import { Agent, request } from 'undici';

/** What an administrator asks through the cluster's door. */
export class ClusterAdmin {
  private readonly dispatcher = new Agent({ connections: 1 });

  constructor(private readonly cluster: Pick<StartedCluster, 'adminUrl' | 'adminToken'>) {}

  /**
   * @param path - under `/admin`, such as `/identity/tokens`
   * @param ifMatch - the version that a change replaces
   * @throws Error with status and body when the answer is no success
   */
  async ask<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, ifMatch?: number): Promise<T> {
    const answer = await request(`${this.cluster.adminUrl}${path}`, {
      method,
      dispatcher: this.dispatcher,
      headers: {
        authorization: `Bearer ${this.cluster.adminToken}`,
        'content-type': 'application/json',
        ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async close(): Promise<void> {
    await this.dispatcher.close();
  }
}
