import { PolicyDocument, policySnapshotTopic, toolDefinitionDiscoveredTopic } from '@warder/contracts';
import { type BrowserWindow, RealBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';

const CALLBACK = 'http://127.0.0.1:1/callback';
const EMAIL = 'ana@corp.example';
const PASSWORD = 'correct horse battery staple';
/** The narrowest telephone that is in use. */
const NARROW = { width: 360, height: 640 };
/** Without a space in it, so that it has to be broken somewhere. */
const LONG_NAME = `Editor${'-of-many-words'.repeat(6)}`;
const SERVER = {
  upstreams: { files: { transport: { kind: 'streamable-http', url: 'https://files.example/mcp' } } },
  virtualServers: { dev: { tools: [{ upstream: 'files', tool: '*', prefix: '' }] } },
  grants: [{ name: 'anas', effect: 'permit', to: { principal: EMAIL }, tools: ['files/r*', 'files/find*'] }],
};
const TOOLS = [
  { name: 'read', description: 'Reads a file. Slowly.' },
  { name: `find${'-of-many-words'.repeat(4)}`, title: 'Finds a file' },
  { name: 'wipe', description: 'Wipes the disk.' },
];
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

let scene: IdentityScene;
let browser: RealBrowser;
let window: BrowserWindow;
let address: string;

/** What a page says of itself to who does not see it. */
const spoken = () => window.page.locator('main').ariaSnapshot();
/** Presses the tabulator until the control with this name has the focus. */
const tabTo = async (name: string): Promise<void> => {
  const named = `(() => { const e = document.activeElement;
    return e.labels?.[0]?.innerText ?? e.ariaLabel ?? (e.matches('button, a') ? e.innerText : ''); })()`;
  for (let presses = 0; presses < 12; presses += 1) {
    await window.page.keyboard.press('Tab');
    if ((await window.page.evaluate(named)) === name) return;
  }
  throw new Error(`no press of the tabulator comes to ${name}`);
};
const press = async (key: string): Promise<void> => {
  const arrived = window.page.waitForEvent('domcontentloaded');
  await window.page.keyboard.press(key);
  await arrived;
};

beforeAll(async () => {
  scene = await IdentityScene.create();
  const corp = {
    kind: 'oidc',
    id: 'corp',
    name: 'Acme',
    issuer: 'http://127.0.0.1:1',
    clientId: 'w',
    clientSecret: 's',
  };
  await scene.start({ signIn: { local: true, providers: [{ ...corp, allowPrivateAddress: true }] } });
  const document = PolicyDocument.parse(SERVER);
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  const catalogue = { version: 1, status: 'active' as const, upstream: 'files', hash: 'x', node: 'n' };
  const tools = TOOLS.map((tool) => ({
    hash: tool.name,
    definition: { ...tool, inputSchema: { type: 'object' as const } },
  }));
  await scene.bus.ensureTopics([policySnapshotTopic, toolDefinitionDiscoveredTopic]);
  await scene.bus.publish(toolDefinitionDiscoveredTopic, 'files', { ...catalogue, tools });
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
  const { url } = scene.running!;
  const metadata = { client_name: LONG_NAME, redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' };
  const registered = await fetch(`${url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
  const { client_id: clientId } = (await registered.json()) as { client_id: string };
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    scope: 'mcp',
    resource: `${url}/mcp/dev`,
  };
  address = `${url}/oauth/authorize?${new URLSearchParams(params).toString()}`;
  browser = await RealBrowser.start();
  window = await browser.person({ viewport: NARROW });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await scene?.close();
});

describe('the pages of signing in, in a browser of 360 pixels without scripts, by keyboard alone', () => {
  it('let a password be chosen by the link that an administrator gave', async () => {
    const { body } = await scene.ask('POST', '/principals', { name: 'Ana', email: EMAIL, groups: [] });
    const { body: link } = await scene.ask('POST', `/principals/${body.id}/password-link`);
    await window.visit((link as unknown as { url: string }).url);
    expect(await window.isTooWide()).toBe(false);
    expect(await spoken()).toBe(
      [
        '- main:',
        '  - heading "Choose a password" [level=1]',
        '  - paragraph:',
        '    - text: For',
        `    - strong: ${EMAIL}`,
        '    - text: . The link you came by can be used once.',
        '  - text: Password (12 characters or more)',
        '  - textbox "Password (12 characters or more)"',
        '  - button "Save it"',
      ].join('\n'),
    );
    await tabTo('Password (12 characters or more)');
    await window.page.keyboard.type(PASSWORD);
    await press('Enter');
    expect(await window.isTooWide()).toBe(false);
    expect(await window.page.getByRole('heading', { level: 1 }).count()).toBe(1);
  });

  it('say who asks for what and where one goes, before they ask who one is', async () => {
    await window.visit(address);
    expect(await window.isTooWide()).toBe(false);
    expect(await window.page.title()).toBe(`Allow ${LONG_NAME}? - Warder`);
    expect(await window.heading()).toBe(`Let “${LONG_NAME}” use “dev” for you?`);
    expect(await window.page.getByRole('note').innerText()).toContain('Nobody has verified who it is.');
    expect(await window.page.getByRole('definition').allInnerTexts()).toEqual([
      'dev',
      'a program on this computer (127.0.0.1:1)',
    ]);
    expect(await spoken()).toContain('It offers 3 tools. The program may use those that your company lets you use');
    expect(await window.page.getByRole('list').count()).toBe(0);
    expect(await window.page.content()).not.toMatch(/reads a file|wipe/i);
    const buttons = await window.page.getByRole('button').allInnerTexts();
    expect(buttons).toEqual(['Allow, and sign in with Acme', 'Allow, and sign in with a password', 'Do not allow']);
  });

  it('take a password, and say aloud that one was wrong', async () => {
    await tabTo('Allow, and sign in with a password');
    await press('Enter');
    expect(await window.isTooWide()).toBe(false);
    expect(await spoken()).toBe(
      [
        '- main:',
        '  - heading "Sign in" [level=1]',
        '  - text: E-mail address',
        '  - textbox "E-mail address"',
        '  - text: Password',
        '  - textbox "Password"',
        '  - button "Sign in"',
      ].join('\n'),
    );
    await tabTo('E-mail address');
    await window.page.keyboard.type(EMAIL);
    await tabTo('Password');
    await window.page.keyboard.type('another');
    await press('Enter');
    expect(await window.page.getByRole('alert').innerText()).toBe('This address and password do not belong together.');
    expect(await window.page.getByLabel('E-mail address').inputValue()).toBe(EMAIL);
    await tabTo('Password');
    await window.page.keyboard.type(PASSWORD);
    // Nobody waits there: that the browser was sent is what counts.
    const sent = window.page.waitForRequest((request) => request.url().startsWith(CALLBACK));
    await window.page.keyboard.press('Enter');
    expect(new URL((await sent).url()).searchParams.get('code')).not.toBeNull();
  });

  it('list, to who is signed in, the tools that are granted to that person and no other', async () => {
    // Another window: the one before is still on its way to where nobody waits.
    window = await browser.person({ viewport: NARROW });
    await window.visit(`${scene.running!.url}/account`);
    await window.press('Sign in with a password');
    await window.page.getByLabel('E-mail address').fill(EMAIL);
    await window.page.getByLabel('Password').fill(PASSWORD);
    await window.press('Sign in');
    await window.visit(address);
    expect(await window.isTooWide()).toBe(false);
    const list = window.page.getByRole('list', { name: 'Tools' });
    expect(await list.getByRole('listitem').allInnerTexts()).toEqual([
      `${TOOLS[1]!.name} Finds a file`,
      'read Reads a file.',
    ]);
    // Longer than its box, a list is scrolled by keys, and for that it needs the focus.
    await tabTo('Tools');
    expect(await window.page.getByRole('button').allInnerTexts()).toEqual(['Allow', 'Do not allow']);
  });

  it('say in one sentence what did not work', async () => {
    await window.visit(`${scene.running!.url}/sign-in/nothing-of-this-name`);
    expect(await window.isTooWide()).toBe(false);
    expect(await window.heading()).toBe('That did not work');
    expect(await window.page.getByRole('paragraph').allInnerTexts()).toHaveLength(1);
  });

  it('look as they were made to: the browser takes their own style and nothing else', async () => {
    const style = `getComputedStyle(document.querySelector('main')).maxWidth`;
    expect(await window.page.evaluate(style)).toBe('544px');
  });
});
