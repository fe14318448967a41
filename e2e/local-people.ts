import type { BrowserWindow, RealBrowser } from '@warder/testing';
import type { Person } from './clients/signing-in-clients.js';

/** Where the browser of somebody of the local directory comes by. */
export interface LocalPlaces {
  readonly warder: string;
  /** The callback of clients that do not listen themselves. */
  readonly callback: string;
}

const PAGES_MAX = 6;
const ALLOW = /^Allow(, and sign in with a password)?$/;

/** Somebody of the local directory at their own browser: a real one, in which no script runs. */
export class LocalPerson {
  /** What the browser showed, by heading. */
  readonly shown: string[] = [];

  private constructor(
    private readonly who: { readonly email: string; readonly password: string },
    private readonly window: BrowserWindow,
    private readonly places: LocalPlaces,
  ) {}

  static async at(
    browser: RealBrowser,
    who: { readonly email: string; readonly password: string },
    places: LocalPlaces,
  ): Promise<LocalPerson> {
    return new LocalPerson(who, await browser.person(), places);
  }

  /** Chooses the password by the link that an administrator gave. */
  async choosePassword(link: string): Promise<void> {
    const { window } = this;
    await window.visit(link);
    await window.page.getByLabel('Password').fill(this.who.password);
    await window.press('Save it');
  }

  /** Reads, allows, and signs in where it is asked to, until the browser is at a client's. */
  readonly allow: Person = async (address) => {
    const { window, places } = this;
    await window.visit(address);
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const { url } = window;
      if (!url.startsWith(places.warder)) return url.startsWith(places.callback) ? url : null;
      this.shown.push(await window.heading());
      if ((await window.page.getByLabel('Password', { exact: true }).count()) > 0) await this.signIn();
      else await window.press(ALLOW);
    }
    throw new Error(`not at a client's after ${PAGES_MAX} pages: ${this.shown.join(', ')}`);
  };

  private async signIn(): Promise<void> {
    const { page } = this.window;
    await page.getByLabel('E-mail address').fill(this.who.email);
    await page.getByLabel('Password', { exact: true }).fill(this.who.password);
    await this.window.press('Sign in');
  }

  async close(): Promise<void> {
    await this.window.close();
  }
}
