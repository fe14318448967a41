import { createHash, randomBytes } from 'node:crypto';
import { type BrowserPage, ScriptedBrowser, type StartedCluster } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FixtureScene, VIRTUAL_SERVER } from '../../fixture-scene.js';
import { START_TIMEOUT_MS } from '../../shapes.js';

const CALLBACK = 'https://editor.example/callback';
const EMAIL = 'ana@example.com';
const PASSWORD = 'correct horse battery staple';
const verifier = randomBytes(32).toString('base64url');

interface Answer {
  /** 0 where there was none. */
  readonly status: number;
  readonly body: { readonly error?: string; readonly access_token?: string };
}

describe('identity killed in the middle of a sign-in, in cluster', () => {
  let scene: FixtureScene<StartedCluster>;
  let origin: string;
  let clientId: string;

  const ask = async (path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> => {
    try {
      const response = await fetch(origin + path, { method: 'POST', body, headers });
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    } catch {
      return { status: 0, body: {} };
    }
  };
  const redeem = (page: BrowserPage): Promise<Answer> =>
    ask(
      '/oauth/token',
      new URLSearchParams({
        grant_type: 'authorization_code',
        code: new URL(page.url).searchParams.get('code') ?? '',
        client_id: clientId,
        redirect_uri: CALLBACK,
        code_verifier: verifier,
      }),
    );
  /** Allows the client and proves a password; the browser stops before it goes on, and then at the client. */
  const prove = async (): Promise<{
    browser: ScriptedBrowser;
    proved: BrowserPage;
    goOn: () => Promise<BrowserPage>;
  }> => {
    let isStopping = true;
    const browser = new ScriptedBrowser(
      (url) => url.startsWith(CALLBACK) || (isStopping && url.startsWith(`${origin}/oauth/authorize/`)),
    );
    const params = {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: new URL(`/mcp/${VIRTUAL_SERVER}`, scene.warder.endpoint).href,
    };
    const asked = await browser.open(`${origin}/oauth/authorize?${new URLSearchParams(params).toString()}`);
    const form = await browser.submit(asked, { with: 'local' });
    const proved = await browser.submit(form, { email: EMAIL, password: PASSWORD });
    const goOn = (): Promise<BrowserPage> => {
      isStopping = false;
      return browser.open(proved.url);
    };
    return { browser, proved, goOn };
  };
  const kill = () => scene.warder.service('identity').kill('SIGKILL');
  const startAgain = async (): Promise<void> => {
    await scene.warder.service('identity').start();
    await scene.warder.service('identity').healthy(60_000);
  };

  beforeAll(async () => {
    scene = await FixtureScene.cluster();
    ({ origin } = new URL(scene.warder.endpoint));
    const ana = { name: 'Ana', email: EMAIL, groups: ['knowers'] };
    const { id } = await scene.admin.ask<{ id: string }>('POST', '/identity/principals', ana);
    const link = await scene.admin.ask<{ url: string }>('POST', `/identity/principals/${id}/password-link`);
    const browser = new ScriptedBrowser();
    const saved = await browser.submit(await browser.open(link.url), { password: PASSWORD });
    if (saved.status !== 200) throw new Error(saved.text);
    const client = { client_name: 'Editor', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' };
    const registered = await ask('/oauth/register', JSON.stringify(client), { 'content-type': 'application/json' });
    clientId = (registered.body as { client_id: string }).client_id;
  }, START_TIMEOUT_MS);
  afterAll(async () => scene?.stop(), 60_000);

  it('between consent and code: the browser goes on, once', async () => {
    const { browser, proved, goOn } = await prove();
    await kill();
    await startAgain();
    const page = await goOn();
    expect(new URL(page.url).searchParams.get('code')).not.toBeNull();
    const again = await browser.open(proved.url);
    expect([again.status, again.text.includes('code=')]).toEqual([400, false]);
    expect((await redeem(page)).status).toBe(200);
  }, 180_000);

  it('between code and token: the code is good for one token, or the client is told by the protocol', async () => {
    const page = await (await prove()).goOn();
    await kill();
    expect((await redeem(page)).body.access_token).toBeUndefined();
    await startAgain();
    const answers = [await redeem(page), await redeem(page)];
    // A code is good for a minute, and a start may take longer.
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    for (const { body } of answers.filter(({ status }) => status !== 200)) expect(body.error).toBe('invalid_grant');
  }, 180_000);

  it('while the code is being used: nobody has two tokens for it', async () => {
    const page = await (await prove()).goOn();
    const first = redeem(page);
    await kill();
    const answers = [await first];
    await startAgain();
    answers.push(await redeem(page), await redeem(page));
    expect(answers.filter(({ body }) => body.access_token !== undefined).length).toBeLessThanOrEqual(1);
    expect(answers.at(-1)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  }, 180_000);
});
