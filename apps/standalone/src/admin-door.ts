/** Something at the admin door did not go as it must at a start. */
export class AdminDoorError extends Error {}

/** For how long a start waits until every ingress node has applied what it changed. */
export const APPLY_WAIT_MS = 10_000;

/** Calls the services' own admin HTTP, as an administrator would. */
export class AdminDoor {
  constructor(
    private readonly adminUrl: string,
    private readonly token: string,
  ) {}

  /**
   * @returns the body of the answer
   * @throws AdminDoorError in one sentence on any status but 2xx
   */
  async ask<Answer>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await fetch(`${this.adminUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok)
      throw new AdminDoorError(`${method} /admin${path} answered ${answer.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as Answer;
  }
}
