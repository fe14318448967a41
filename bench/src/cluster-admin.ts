import type { StartedCluster } from '@warder/testing';
import { Agent, request } from 'undici';

/** What an administrator asks of identity, through the cluster's door. */
export class Admin {
  private readonly dispatcher = new Agent({ connections: 1 });

  constructor(private readonly cluster: Pick<StartedCluster, 'adminUrl' | 'adminToken'>) {}

  /** @throws Error with status and body when the answer is no success */
  async ask<T>(method: 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    const answer = await request(`${this.cluster.adminUrl}/identity/${path}`, {
      method,
      dispatcher: this.dispatcher,
      headers: { authorization: `Bearer ${this.cluster.adminToken}`, 'content-type': 'application/json' },
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
