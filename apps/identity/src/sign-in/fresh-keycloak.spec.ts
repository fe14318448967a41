import {
  type BrowserPage,
  KEYCLOAK_CLIENT,
  KEYCLOAK_PEOPLE,
  keycloakSaml,
  keycloakSamlClient,
  type RunningKeycloak,
  ScriptedBrowser,
  startKeycloak,
} from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tellPolicy } from '../account/account.scene.js';
import { accountSignInUrl } from '../authorization/first-party.js';
import { IdentityScene } from '../identity.scene.js';

const { password } = KEYCLOAK_PEOPLE.ana;
let scene: IdentityScene;
let keycloak: RunningKeycloak;

const at = (path: string) => `${scene.running!.url}${path}`;
/** Lets Keycloak's page post its answer, where it is one that does. */
const comeBack = (page: BrowserPage, browser: ScriptedBrowser): Promise<BrowserPage> =>
  page.text.includes('name="SAMLResponse"') ? browser.submit(page, {}) : Promise.resolve(page);
const isLogin = ({ url, text }: BrowserPage) => url.startsWith(keycloak.issuer) && text.includes('type="password"');
/** Signs in at Keycloak's page. */
const sayWho = async (page: BrowserPage, browser: ScriptedBrowser): Promise<BrowserPage> => {
  expect(isLogin(page)).toBe(true);
  return comeBack(await browser.submit(page, { username: 'ana', password }), browser);
};

beforeAll(async () => {
  // For a browser another site than 127.0.0.1.
  keycloak = await startKeycloak({ host: 'localhost' });
  scene = await IdentityScene.create();
  const { id: clientId, secret: clientSecret } = KEYCLOAK_CLIENT;
  const oidc = { kind: 'oidc', id: 'oidc', name: 'Corp', issuer: keycloak.issuer, allowPrivateAddress: true };
  const saml = { kind: 'saml', id: 'saml', name: 'Corp by SAML', ...(await keycloakSaml(keycloak.issuer)) };
  const providers = [
    { ...oidc, clientId, clientSecret },
    { ...saml, emailAttribute: 'email' },
  ];
  await scene.start({ signIn: { attemptsPerMinute: 1_000, providers } });
  await tellPolicy(scene);
  await keycloak.admin.placeClient(scene.running!.url, 'oidc');
  await keycloak.admin.createClient(keycloakSamlClient(scene.running!.url, 'saml'));
}, 600_000);
afterAll(async () => {
  await scene?.close();
  await keycloak?.stop();
}, 60_000);

describe('a sign-in that has to be a new one, at Keycloak', () => {
  it.each([
    { by: 'oidc', tellsWhen: true },
    // What Keycloak writes as `AuthnInstant` is the time of its answer.
    { by: 'saml', tellsWhen: false },
  ])(
    'is asked for by $by, though Keycloak has a session of the browser',
    async ({ by, tellsWhen }) => {
      const browser = new ScriptedBrowser();
      const first = await browser.submit(await browser.open(at('/account')), { with: by });
      expect((await sayWho(first, browser)).text).toContain('Your account');
      // Out here, and in again: Keycloak's session is enough, and it asks nothing.
      const overview = await browser.open(at('/account'));
      const [, token = ''] = /name="token" value="([^"]+)"/.exec(overview.text) ?? [];
      await browser.open(at('/account/sign-out'), { token });
      const passed = await browser.submit(await browser.open(at('/account')), { with: by });
      expect(isLogin(passed)).toBe(false);
      expect((await comeBack(passed, browser)).text).toContain('Your account');
      const sensitive = await browser.open(at('/account/tokens/new'));
      expect(sensitive.text.includes('<h1>Make a token</h1>')).toBe(tellsWhen);
      const asked = await browser.open(accountSignInUrlAt('&prompt=login'));
      expect(asked.text).toContain('<h1>Sign in again</h1>');
      const again = await sayWho(await browser.submit(asked, { with: by }), browser);
      expect(again.text).toContain('Your account');
      expect((await browser.open(at('/account/tokens/new'))).text).toContain('<h1>Make a token</h1>');
    },
    120_000,
  );

  it('is not had by leaving the question out on the way to Keycloak', async () => {
    let isCaught = false;
    const browser = new ScriptedBrowser((url) => isCaught && url.includes('/protocol/openid-connect/auth?'));
    const first = await browser.submit(await browser.open(at('/account')), { with: 'oidc' });
    await sayWho(first, browser);
    const asked = await browser.open(accountSignInUrlAt('&prompt=login'));
    isCaught = true;
    // As if the session at Keycloak were some minutes old.
    scene.nowMs = () => Date.now() + 200_000;
    const sent = await browser.submit(asked, { with: 'oidc' });
    isCaught = false;
    const address = new URL(sent.url);
    expect([address.searchParams.get('prompt'), address.searchParams.get('max_age')]).toEqual(['login', '0']);
    for (const name of ['prompt', 'max_age']) address.searchParams.delete(name);
    const back = await browser.open(address.href);
    scene.nowMs = () => Date.now();
    expect([back.status, back.text.includes('did not confirm')]).toEqual([403, true]);
  }, 120_000);
});

/** Where the browser is sent to sign in to the account, with more in the address. */
function accountSignInUrlAt(more: string): string {
  return at(`${accountSignInUrl('overview')}${more}`);
}
