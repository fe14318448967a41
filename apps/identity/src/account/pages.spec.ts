import { type BrowserWindow, RealBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { PASSWORD, Person, tellPolicy } from './account.scene.js';

/** The narrowest telephone that is in use. */
const NARROW = { width: 360, height: 640 };
/** Without a space in it, so that it has to be broken somewhere. */
const LONG_NAME = `laptop${'-of-many-words'.repeat(6)}`;
const OTHER = 'another long password';

let scene: IdentityScene;
let browser: RealBrowser;
let window: BrowserWindow;
let ana: Person;

/** What a page says of itself to who does not see it. */
const spoken = () => window.page.locator('main').ariaSnapshot();
/** Presses the tabulator until the control with this name has the focus. */
const tabTo = async (name: string): Promise<void> => {
  const named = `(() => { const e = document.activeElement;
    return e.labels?.[0]?.innerText ?? e.ariaLabel ?? (e.matches('button, a, summary') ? e.innerText : ''); })()`;
  const passed: string[] = [];
  for (let presses = 0; presses < 40; presses += 1) {
    await window.page.keyboard.press('Tab');
    passed.push(String(await window.page.evaluate(named)).trim());
    if (passed.at(-1) === name) return;
  }
  throw new Error(`no press of the tabulator comes to ${name}, but to ${JSON.stringify(passed)}`);
};
const press = async (key: string): Promise<void> => {
  const arrived = window.page.waitForEvent('domcontentloaded');
  await window.page.keyboard.press(key);
  await arrived;
};
const write = async (field: string, text: string): Promise<void> => {
  await tabTo(field);
  await window.page.keyboard.type(text);
};
const open = (path = '') => window.visit(`${scene.running!.url}/account${path}`);
/** Each page stands on 360 pixels, and has one heading of the first level. */
const expectPage = async (heading: string): Promise<void> => {
  expect(await window.heading()).toBe(heading);
  expect(await window.page.getByRole('heading', { level: 1 }).count()).toBe(1);
  expect([heading, await window.isTooWide()]).toEqual([heading, false]);
};

beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({ signIn: { attemptsPerMinute: 1_000 } });
  await tellPolicy(scene);
  ana = await Person.make(scene, 'ana', { groups: ['knowers'] });
  browser = await RealBrowser.start();
  window = await browser.person({ viewport: NARROW });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await scene?.close();
});

describe('the pages of one’s account, in a browser of 360 pixels without scripts, by keyboard alone', () => {
  it('ask who it is, and show what the person has', async () => {
    await open();
    await expectPage('Sign in to Warder');
    await tabTo('Sign in with a password');
    await press('Enter');
    await write('E-mail address', ana.email);
    await write('Password', PASSWORD);
    await press('Enter');
    await expectPage('Your account');
    const headings = await window.page.getByRole('heading', { level: 2 }).allInnerTexts();
    expect(headings).toEqual([
      'Personal access tokens',
      'Programs that act for you',
      'Accounts that you have connected',
      'Calls that wait for a person',
      'Browsers in which you are signed in',
      'Password',
    ]);
    const told = await spoken();
    expect(told).toContain('- strong: ana');
    expect(told).toContain('- button "Sign out of this browser"');
    expect(told).toContain('- link "Make a token"');
    expect(told).toContain('- link "Change your password"');
  });

  it('make a token, say aloud what is wrong with one, and show it once', async () => {
    await tabTo('Make a token');
    await press('Enter');
    await expectPage('Make a token');
    await write('Name (what it is for)', LONG_NAME);
    await write(
      'Tools (patterns such as tickets/search_*, one on each line; empty: all that you may use)',
      'no pattern',
    );
    await tabTo('Make it');
    await press('Enter');
    await expectPage('Make a token');
    expect(await window.page.getByRole('alert').innerText()).toContain('A tool is written server/tool');
    expect(await window.page.getByRole('textbox', { name: 'Name (what it is for)' }).inputValue()).toBe(LONG_NAME);
    await tabTo('Tools (patterns such as tickets/search_*, one on each line; empty: all that you may use)');
    await window.page.keyboard.press('Control+A');
    await window.page.keyboard.type('tickets/*');
    await tabTo('Only tools that only read');
    await window.page.keyboard.press('Space');
    await tabTo('Make it');
    await press('Enter');
    await expectPage('Your token');
    expect(await window.page.getByRole('status').innerText()).toContain('Copy it now');
    expect(await window.page.getByRole('textbox', { name: LONG_NAME }).inputValue()).toMatch(/^wdr_[\w-]{48}$/);
    await tabTo('Back to your account');
    await press('Enter');
    await expectPage('Your account');
    expect(await window.page.content()).toContain('cut to tools that only read; tools: tickets/*');
    expect(await window.page.content()).not.toMatch(/wdr_[\w-]{48}/);
  });

  it('give a token a new secret, and end it behind a question', async () => {
    await tabTo(`Rotate ${LONG_NAME}`);
    await press('Enter');
    await expectPage(`Rotate “${LONG_NAME}”`);
    expect(await spoken()).toContain('- combobox "The secret it has now ends"');
    await tabTo('Do not');
    await press('Enter');
    await expectPage('Your account');
    await tabTo('Revoke');
    expect(await window.page.getByRole('button', { name: 'Revoke now' }).count()).toBe(0);
    await window.page.keyboard.press('Enter');
    expect(await spoken()).toContain('stops within a second, for good.');
    expect(await window.isTooWide()).toBe(false);
    await tabTo('Revoke now');
    await press('Enter');
    await expectPage('Your account');
    expect(await spoken()).toContain('You have none.');
  });

  it('end another browser, and change a password, with a word on what was wrong', async () => {
    await ana.come();
    await open();
    expect(await window.page.getByRole('heading', { level: 3 }).allInnerTexts()).toHaveLength(2);
    await tabTo('Sign out of all others');
    await press('Enter');
    expect(await window.page.getByRole('heading', { level: 3 }).allInnerTexts()).toHaveLength(1);
    await tabTo('Change your password');
    await press('Enter');
    await expectPage('Change your password');
    await write('The password you have', 'not the one there is');
    await write('A new one (12 characters or more)', OTHER);
    await press('Enter');
    await expectPage('Change your password');
    expect(await window.page.getByRole('alert').innerText()).toBe('The password you have is another one.');
    await write('The password you have', PASSWORD);
    await write('A new one (12 characters or more)', OTHER);
    await tabTo('End the access of every program that acts for me');
    await window.page.keyboard.press('Space');
    expect(await spoken()).toContain('- checkbox "End the access of every program that acts for me" [checked]');
    await tabTo('Change it');
    await press('Enter');
    await expectPage('Changed');
  });

  it('say in one sentence what did not work, and sign out', async () => {
    await open('/nothing-of-this-name');
    await expectPage('That did not work');
    expect(await spoken()).toContain('- paragraph: There is no such page.');
    await tabTo('Your account');
    await press('Enter');
    await tabTo('Sign out of this browser');
    await press('Enter');
    await expectPage('Signed out');
  });

  it('ask before the authorization server signs a browser out, without a script', async () => {
    await open();
    await tabTo('Sign in with a password');
    await press('Enter');
    await write('E-mail address', ana.email);
    await write('Password', OTHER);
    await press('Enter');
    await window.visit(`${scene.running!.url}/oauth/sign-out`);
    await expectPage('Sign out?');
    expect(await window.page.getByRole('button').allInnerTexts()).toEqual(['Sign out', 'Stay signed in']);
    await tabTo('Sign out');
    await press('Enter');
    await expectPage('Signed out');
  });
});
