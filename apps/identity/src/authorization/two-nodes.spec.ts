import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, Person, tellPolicy, tokenOf } from '../account/account.scene.js';
import { IdentityScene, PEPPER } from '../identity.scene.js';
import { identityService } from '../index.js';

const CALLBACK = 'https://editor.example/callback';
const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-';
let scene: IdentityScene;
let other: RunningHost;
let origin: string;
let clientId: string;
/** Whatever the second node logged, at the level that says most. */
let logged = '';

interface Answer {
  readonly status: number;
  readonly body: { readonly error?: string; readonly access_token: string; readonly refresh_token: string };
}

/** Asks one of two nodes behind one origin. */
const ask = async (node: string, form: Record<string, string>): Promise<Answer> => {
  const headers = { host: new URL(origin).host, 'content-type': 'application/x-www-form-urlencoded' };
  const asked = request(`${node}/oauth/token`, { method: 'POST', headers });
  asked.end(new URLSearchParams({ client_id: clientId, ...form }).toString());
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: JSON.parse(await text(response)) as Answer['body'] };
};
const redeem = (node: string, code: string) =>
  ask(node, { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER });
const refresh = (node: string, refreshToken: string) =>
  ask(node, { grant_type: 'refresh_token', refresh_token: refreshToken });
/** A code of somebody's, by a browser that is signed in from the second on. */
const codeFor = async (person: Person): Promise<string> => {
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    resource: `${origin}/mcp/dev`,
  };
  const browser = ScriptedBrowser.until(CALLBACK);
  const form = await browser.submit(await browser.open(`${origin}/oauth/authorize?${new URLSearchParams(params)}`), {
    with: 'local',
  });
  const page = await browser.submit(form, { email: person.email, password: PASSWORD });
  return new URL(page.url).searchParams.get('code') ?? '';
};

beforeAll(async () => {
  scene = await IdentityScene.create();
  const config = { authorization: { refreshReuseSeconds: 0 }, signIn: { attemptsPerMinute: 10_000 } };
  await scene.start(config);
  origin = scene.running!.url;
  await tellPolicy(scene);
  const settings = {
    database: { url: scene.database.url },
    pepper: { current: 'p1', keys: { p1: PEPPER } },
    ...config,
  };
  other = await startServiceForTest(identityService, settings, {
    bus: scene.bus,
    settings: { publicUrl: origin },
    log: createLogger('identity', { level: 'trace', destination: { write: (line) => void (logged += line) } }),
  });
  clientId = await scene.registerClient(CALLBACK);
});
afterAll(async () => {
  await other?.stop();
  await scene?.close();
});

describe('two nodes on one database', () => {
  it('give one refresh for one refresh token that may be used once, and end its family', async () => {
    const ana = await Person.make(scene, 'ana');
    const nodes = [origin, other.url, origin, other.url];
    for (let round = 0; round < 6; round += 1) {
      const { body } = await redeem(origin, await codeFor(ana));
      const answers = await Promise.all(nodes.map((node) => refresh(node, body.refresh_token)));
      const given = answers.filter(({ status }) => status === 200);
      expect(given.length).toBeLessThanOrEqual(1);
      for (const answer of answers.filter(({ status }) => status !== 200))
        expect(answer.body.error).toBe('invalid_grant');
      for (const { body: next } of given) expect((await refresh(other.url, next.refresh_token)).status).toBe(400);
    }
  });

  it('give one token for one code', async () => {
    const bo = await Person.make(scene, 'bo');
    for (let round = 0; round < 4; round += 1) {
      const code = await codeFor(bo);
      const answers = await Promise.all([origin, other.url, origin, other.url].map((node) => redeem(node, code)));
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    }
  });
});

describe('the log, at the level that says most', () => {
  it('holds no password, code, token, link, cookie or secret of a browser', async () => {
    const cy = await Person.make(scene, 'cy');
    const code = await codeFor(cy);
    const { body } = await redeem(other.url, code);
    const next = await refresh(other.url, body.refresh_token);
    expect(next.status).toBe(200);
    const page = await cy.come('/tokens/new');
    const cookies = cy.browser.cookiesFor(`${origin}/account`).split('; ');
    const headers = { host: new URL(origin).host, cookie: cookies.join('; ') };
    const visited = ['/account', '/account/tokens/new', `/sign-in/new-password/${'x'.repeat(43)}`, `/sign-in/${code}`];
    for (const path of [...visited, `/sign-in/callback/local?state=${code}&code=${code}`]) {
      const asked = request(other.url + path, { headers }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      await text(response);
    }
    expect((await redeem(other.url, code)).status).toBe(400);
    expect(logged).toContain('"level":20');
    const secrets = [PASSWORD, PEPPER, code, body.access_token, body.refresh_token, next.body.refresh_token];
    const ofBrowser = cookies.map((cookie) => cookie.slice(cookie.indexOf('=') + 1));
    for (const secret of [...secrets, ...ofBrowser, tokenOf(page)]) {
      expect(secret.length).toBeGreaterThan(15);
      expect(logged).not.toContain(secret);
    }
  });
});
