import type { Browser, BrowserContext, Page } from 'playwright-core';
import { resolveChromium } from './chromium-files.js';

/** How somebody's browser is set up. */
export interface BrowserOptions {
  /** CSS pixels; 1280 by 800 where not given. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Off where not given: Warder's own pages need none. */
  readonly javaScript?: boolean;
}

/** A real Chromium without a window, for people each with cookies of their own. */
export class RealBrowser {
  private constructor(private readonly browser: Browser) {}

  /** @throws Error with one sentence where there is no Chromium for this machine */
  static async start(): Promise<RealBrowser> {
    // Loaded here, for this library also starts clusters, which need no browser.
    const { chromium } = await import('playwright-core');
    const { executable, environment } = await resolveChromium();
    const env = { ...(process.env as Record<string, string>), ...environment };
    return new RealBrowser(await chromium.launch({ executablePath: executable, env, args: ['--disable-gpu'] }));
  }

  get version(): string {
    return this.browser.version();
  }

  /** Somebody's browser, with nothing in it. */
  async person(options: BrowserOptions = {}): Promise<BrowserWindow> {
    const context = await this.browser.newContext({
      viewport: options.viewport ?? { width: 1280, height: 800 },
      javaScriptEnabled: options.javaScript ?? false,
      locale: 'en-GB',
    });
    return new BrowserWindow(context, await context.newPage());
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

/** One window of somebody's browser, whose cookies outlive the page. */
export class BrowserWindow {
  constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  async visit(url: string): Promise<void> {
    await this.page.goto(url);
  }

  get url(): string {
    return this.page.url();
  }

  /** Presses the button with this name, and waits for the page that comes of it. */
  async press(name: string | RegExp): Promise<void> {
    // A click is over before the server has answered: until then the page and its address are the old ones.
    await Promise.all([this.page.waitForEvent('load'), this.page.getByRole('button', { name }).click()]);
  }

  /** What the page says it is. */
  async heading(): Promise<string> {
    return this.page.getByRole('heading', { level: 1 }).innerText();
  }

  /** Whether the page is wider than the window, so that one has to scroll sideways. */
  async isTooWide(): Promise<boolean> {
    return this.page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
