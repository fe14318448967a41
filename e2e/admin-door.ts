import type { AuditRecord, CreatePrincipal, PolicyDocument, TokenScopes } from '@warder/contracts';
import { parseJson } from '@warder/mcp-wire';
import type { StartedWarder } from '@warder/testing';
import { request } from 'undici';

/** A member of a group and one token of theirs. */
export interface Member {
  readonly principalId: string;
  readonly tokenId: string;
  readonly token: string;
}

/** What an administrator would do by hand, over the same HTTP as theirs. */
export class AdminDoor {
  constructor(private readonly warder: Pick<StartedWarder, 'adminUrl' | 'adminToken'>) {}

  /**
   * Asks a path under `/admin`.
   * @throws Error with status and body when the answer is no success
   */
  async ask<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    return (await this.answer<T>(method, path, body)).value;
  }

  /** The text of an answer, byte for byte. */
  async text(path: string): Promise<string> {
    return (await this.exchange('GET', path)).text;
  }

  /** Makes a principal and issues a token of theirs. */
  async member(settings: Partial<CreatePrincipal> & { name: string }, tokenName = 'laptop'): Promise<Member> {
    const principal = await this.ask<{ id: string }>('POST', '/identity/principals', settings);
    return { principalId: principal.id, ...(await this.token(principal.id, tokenName)) };
  }

  /** @param cut - what cuts the owner's grants: patterns of tools, or whichever scopes */
  async token(
    principalId: string,
    name: string,
    cut: readonly string[] | Partial<TokenScopes> = {},
  ): Promise<Pick<Member, 'tokenId' | 'token'>> {
    const asked = { principalId, name, scopes: Array.isArray(cut) ? { tools: cut } : cut };
    const issued = await this.ask<{ id: string; token: string }>('POST', '/identity/tokens', asked);
    return { tokenId: issued.id, token: issued.token };
  }

  async revoke(tokenId: string): Promise<void> {
    await this.ask('DELETE', `/identity/tokens/${tokenId}`);
  }

  /** Changes the policy in force and waits until every ingress node has applied it. */
  async changePolicy(change: (document: PolicyDocument) => PolicyDocument): Promise<number> {
    const { value, headers } = await this.answer<{ document: PolicyDocument }>('GET', '/policy');
    const path = '/policy?wait=20000';
    const replaced = await this.answer<{ version: number; appliedEverywhere?: boolean }>(
      'PUT',
      path,
      change(value.document),
      { 'if-match': String(headers['etag']) },
    );
    if (replaced.value.appliedEverywhere !== true) throw new Error('not every node applied the policy within 20 s');
    return replaced.value.version;
  }

  /** Every record that the filters find, all pages. */
  async records(filters: Readonly<Record<string, string>>): Promise<AuditRecord[]> {
    const found: AuditRecord[] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ ...filters, limit: '500', ...(cursor === null ? {} : { cursor }) });
      const page: { calls: AuditRecord[]; nextCursor: string | null } = await this.ask('GET', `/audit/calls?${query}`);
      found.push(...page.calls);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return found;
  }

  private async answer<T>(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const answer = await this.exchange(method, path, body, headers);
    return { value: (answer.text === '' ? undefined : parseJson(answer.text)) as T, headers: answer.headers };
  }

  private async exchange(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const { adminUrl, adminToken } = this.warder;
    const answer = await request(`${adminUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return { text, headers: answer.headers };
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
