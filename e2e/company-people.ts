import { KEYCLOAK_PEOPLE, type RealBrowser, type BrowserWindow } from '@warder/testing';
import type { Person } from './clients/signing-in-clients.js';

/** On the button of the company's provider. */
export const COMPANY_NAME = 'The company';
/** Its id in Warder. */
export const COMPANY_ID = 'company';

type Who = keyof typeof KEYCLOAK_PEOPLE;

/** Where a person's browser comes by. */
export interface Places {
  readonly warder: string;
  readonly keycloak: string;
  /** The callback of clients that do not listen themselves. */
  readonly callback: string;
}

/** Leave for a program, by whoever is signed in or signs in at the company's provider. */
const ALLOW = new RegExp(`^Allow(, and sign in with ${COMPANY_NAME})?$`);
/** Pages that one sign-in takes at most. */
const PAGES_MAX = 6;

/** Somebody of the company at their own browser: a real one, in which no script runs. */
export class CompanyPerson {
  /** What the browser showed, by heading or title. */
  readonly shown: string[] = [];

  private constructor(
    private readonly who: Who,
    readonly window: BrowserWindow,
    private readonly places: Places,
  ) {}

  static async at(browser: RealBrowser, who: Who, places: Places): Promise<CompanyPerson> {
    return new CompanyPerson(who, await browser.person(), places);
  }

  /** Reads, allows, and signs in where it is asked to, until the browser is at a client's. */
  readonly allow: Person = async (address) => {
    const { window, places } = this;
    await window.visit(address);
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const { url } = window;
      if (url.startsWith(places.warder)) await this.decide();
      else if (url.startsWith(places.keycloak)) await this.signIn();
      else return url.startsWith(places.callback) ? url : null;
    }
    throw new Error(`not at a client's after ${PAGES_MAX} pages: ${this.shown.join(', ')}`);
  };

  /** At Warder's own page. */
  private async decide(): Promise<void> {
    const { window } = this;
    this.shown.push(await window.heading());
    const allow = window.page.getByRole('button', { name: ALLOW });
    if ((await allow.count()) === 0) throw new Error(`nothing to allow: ${await window.page.innerText('body')}`);
    await window.press(ALLOW);
  }

  /** At Keycloak's own page. */
  private async signIn(): Promise<void> {
    const { page } = this.window;
    // A browser that runs scripts sends the form with Keycloak's answer by itself.
    if ((await page.locator('input[name=SAMLResponse]').count()) > 0) return this.window.press(/continue/i);
    this.shown.push(await page.title());
    const fault = await this.fault();
    if (fault !== null) throw new Error(`Keycloak says: ${fault}`);
    const { email, password } = KEYCLOAK_PEOPLE[this.who];
    await page.getByLabel('Username or email').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await this.window.press('Sign In');
  }

  /** What Keycloak has against the person; null where it has nothing. */
  private async fault(): Promise<string | null> {
    const found = this.window.page.locator('.kc-feedback-text, #input-error, #kc-content-wrapper .alert-error');
    return (await found.count()) === 0 ? null : found.first().innerText();
  }

  async close(): Promise<void> {
    await this.window.close();
  }
}
