import { createHash, randomBytes } from 'node:crypto';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import {
  KEYCLOAK_PEOPLE,
  keycloakSaml,
  keycloakSamlClient,
  type RunningKeycloak,
  ScriptedBrowser,
  startKeycloak,
} from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../../identity.scene.js';

const CALLBACK = 'https://editor.example/callback';
let scene: IdentityScene;
let keycloak: RunningKeycloak;

beforeAll(async () => {
  // For a browser another site than 127.0.0.1.
  keycloak = await startKeycloak({ host: 'localhost' });
  scene = await IdentityScene.create();
  const corp = {
    kind: 'saml',
    id: 'corp',
    name: 'Corp',
    ...(await keycloakSaml(keycloak.issuer)),
    emailAttribute: 'email',
    groupsAttribute: 'groups',
    emailDomains: ['corp.example'],
  };
  await scene.start({ signIn: { providers: [corp] } });
  const document = PolicyDocument.parse({ upstreams: {}, virtualServers: { dev: { tools: [] } }, grants: [] });
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.ensureTopics([policySnapshotTopic]);
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
  await keycloak.admin.createClient(keycloakSamlClient(scene.running!.url, corp.id));
}, 600_000);

afterAll(async () => {
  await scene?.close();
  await keycloak?.stop();
}, 60_000);

describe('Keycloak as a SAML provider, set up as its page says', () => {
  const ana = () => [...scene.principals.values()].find(({ email }) => email === 'ana@corp.example');

  it('signs a person in, with the groups that it tells, and ends what they had here when they are signed out there', async () => {
    const { url } = scene.running!;
    const registered = await fetch(`${url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Editor', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }),
    });
    const params = {
      client_id: ((await registered.json()) as { client_id: string }).client_id,
      response_type: 'code',
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'mcp',
      resource: `${url}/mcp/dev`,
    };
    const browser = ScriptedBrowser.until('https://editor.example');
    const question = await browser.open(`${url}/oauth/authorize?${new URLSearchParams(params).toString()}`);
    const login = await browser.submit(question, { with: 'corp' });
    expect(login.url.startsWith(keycloak.issuer)).toBe(true);
    const { password } = KEYCLOAK_PEOPLE.ana;
    const answer = await browser.submit(login, { username: 'ana', password });
    expect(answer.text).toContain('name="SAMLResponse"');
    const back = await browser.submit(answer, {});
    expect(new URL(back.url).searchParams.get('code')).not.toBeNull();
    await expect.poll(ana, { timeout: 15_000 }).toMatchObject({ groups: ['knowers'] });
    const before = ana()!.signedOutAtMs ?? 0;
    await keycloak.admin.logOut('ana');
    await expect.poll(() => ana()!.signedOutAtMs ?? 0, { timeout: 15_000 }).toBeGreaterThan(before);
  }, 120_000);
});
