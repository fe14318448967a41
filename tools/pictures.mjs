// `npm run pictures`: takes the pictures of docs/pictures anew, of Warder's own pages in a real browser.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

const FOLDER = fileURLToPath(new URL('../docs/pictures', import.meta.url));
const VIEWPORT = { width: 480, height: 360 };
const CALLBACK = 'http://127.0.0.1:33418/callback';
const EMAIL = 'ana.ortiz@acme.example';
const PASSWORD = 'correct horse battery staple';
// Nobody is sent there: it is a button on a picture.
const PROVIDER = {
  kind: 'oidc',
  id: 'acme',
  name: 'Acme',
  issuer: 'https://sso.acme.example',
  clientId: 'warder',
  clientSecret: 'none',
};

if (prepare('apps/standalone', 'libs/testing')) await main();

async function main() {
  const { RealBrowser, startStandalone } = await import('../libs/testing/dist/index.js');
  const dir = mkdtempSync(join(tmpdir(), 'warder-pictures-'));
  const configFile = join(dir, 'standalone.yaml');
  writeFileSync(configFile, JSON.stringify({ signIn: { local: true, providers: [PROVIDER] } }), { mode: 0o600 });
  const warder = await startStandalone({ configFile });
  const browser = await RealBrowser.start();
  try {
    await takeAll(warder, browser);
  } finally {
    await browser.close();
    await warder.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function takeAll(warder, browser) {
  mkdirSync(FOLDER, { recursive: true });
  const window = await browser.person({ viewport: VIEWPORT });
  const take = async (name) => {
    const bytes = await window.page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: true });
    process.stdout.write(`docs/pictures/${name}.png ${Math.round(bytes.length / 1024)} KiB\n`);
  };
  const asked = await questionOf(warder);
  await window.visit(asked);
  await take('consent');
  await window.press('Allow, and sign in with a password');
  await take('password');
  await window.page.getByLabel('E-mail address').fill(EMAIL);
  await window.page.getByLabel('Password').fill('not the password');
  await window.press('Sign in');
  await take('password-wrong');
  await window.visit(await passwordLinkOf(warder));
  await take('new-password');
  await window.page.getByLabel('Password').fill(PASSWORD);
  await window.press('Save it');
  await window.visit(new URL('/account', warder.endpoint).href);
  await window.press('Sign in with a password');
  await window.page.getByLabel('E-mail address').fill(EMAIL);
  await window.page.getByLabel('Password').fill(PASSWORD);
  await window.press('Sign in');
  await take('account');
  await window.visit(asked);
  await take('consent-signed-in');
  await window.visit(new URL('/sign-in/over', warder.endpoint).href);
  await take('notice');
}

/** Where a client that has just registered sends its person. */
async function questionOf({ endpoint }) {
  const registered = await ask(new URL('/oauth/register', endpoint), {
    client_name: 'Code editor',
    redirect_uris: [CALLBACK],
    token_endpoint_auth_method: 'none',
  });
  const question = new URL('/oauth/authorize', endpoint);
  question.search = new URLSearchParams({
    client_id: registered.client_id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    // RFC 7636 appendix B; nothing is redeemed.
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    scope: 'mcp',
    resource: endpoint,
  }).toString();
  return question.href;
}

async function passwordLinkOf({ adminUrl, adminToken }) {
  const person = { name: 'Ana Ortiz', email: EMAIL, groups: ['developers'] };
  const { id } = await ask(`${adminUrl}/identity/principals`, person, adminToken);
  return (await ask(`${adminUrl}/identity/principals/${id}/password-link`, {}, adminToken)).url;
}

async function ask(url, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
