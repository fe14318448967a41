interface Cookie {
  readonly value: string;
  readonly path: string;
  readonly host: string;
  readonly sameSite: 'strict' | 'lax' | 'none';
}

/**
 * Follows addresses and sends forms as a browser would, with a jar of cookies of its own that keeps to their `SameSite`
 * (RFC 6265bis section 5.8.3): what a page of another site has it post goes without them.
 */
export class ScriptedBrowser {
  private readonly jar = new Map<string, Cookie>();

  /** @param isClients - tells addresses of the client's, which are not asked but given back */
  constructor(private readonly isClients: (url: string) => boolean = () => false) {}

  /** A browser that gives back addresses that begin so. */
  static until(...starts: string[]): ScriptedBrowser {
    return new ScriptedBrowser((url) => starts.some((start) => url.startsWith(start)));
  }

  /** Opens an address, be it the client's own. */
  visit(url: string): Promise<BrowserPage> {
    return this.follow(url, () => false);
  }

  /** Opens an address. @returns the page, or where the browser was sent to at last */
  open(url: string, form?: Record<string, string>): Promise<BrowserPage> {
    return this.follow(url, this.isClients, form);
  }

  private async follow(
    url: string,
    isClients: (url: string) => boolean,
    form?: Record<string, string>,
    from = url,
  ): Promise<BrowserPage> {
    let next = url;
    let isSameSite = true;
    let body = form === undefined ? undefined : new URLSearchParams(form);
    for (let hops = 0; hops < 20; hops++) {
      if (isClients(next)) return { url: next, status: 0, text: '' };
      // One hop over another site makes all that follow come from there.
      isSameSite &&= siteOf(next) === siteOf(from);
      const response = await fetch(next, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: { cookie: this.cookies(new URL(next), isSameSite, body === undefined), accept: 'text/html' },
        ...(body === undefined ? {} : { body }),
      });
      this.keep(new URL(next), response.headers.getSetCookie());
      const to = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || to === null) {
        return { url: next, status: response.status, text: await response.text(), headers: response.headers };
      }
      next = new URL(to, next).href;
      if (response.status !== 307) body = undefined;
    }
    throw new Error(`sent in circles, at last to ${next}`);
  }

  /** Sends the page's form with these values beside its hidden ones. */
  submit(page: BrowserPage, values: Record<string, string>): Promise<BrowserPage> {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1];
    if (action === undefined) throw new Error(`no form: ${page.status} ${page.text}`);
    const hidden = [...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const form = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
    const whole = { ...form, ...values } as Record<string, string>;
    return this.follow(
      new URL(action.replaceAll(/&(?:#38|amp);/g, '&'), page.url).href,
      this.isClients,
      whole,
      page.url,
    );
  }

  /** The cookies that it would send there, for a request that a test writes by itself. */
  cookiesFor(url: string): string {
    return this.cookies(new URL(url), true, true);
  }

  private cookies(url: URL, isSameSite: boolean, isGet: boolean): string {
    const fits = [...this.jar].filter(([, { path, host, sameSite }]) => {
      if (!isSameSite && sameSite !== 'none' && !(sameSite === 'lax' && isGet)) return false;
      const isUnder = path === '/' || url.pathname === path || url.pathname.startsWith(`${path}/`);
      return host === url.hostname && isUnder;
    });
    return fits.map(([key, { value }]) => `${key.split('|')[0]}=${value}`).join('; ');
  }

  private keep(url: URL, given: readonly string[]): void {
    for (const cookie of given) {
      const [pair = '', ...attributes] = cookie.split(';');
      const at = pair.indexOf('=');
      const path = attributes.find((each) => /^ path=/i.test(each))?.slice(6) ?? '/';
      const key = `${pair.slice(0, at)}|${path}|${url.hostname}`;
      if (/expires=Thu, 01 Jan 1970/i.test(cookie)) this.jar.delete(key);
      else {
        const told = attributes.map((each) => /^ samesite=(strict|lax|none)$/i.exec(each)?.[1]).find(Boolean);
        const sameSite = (told?.toLowerCase() ?? 'lax') as Cookie['sameSite'];
        this.jar.set(key, { value: pair.slice(at + 1), path, host: url.hostname, sameSite });
      }
    }
  }
}

/** The port is no part of a site; here every host is one of its own. */
function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}`;
}

export interface BrowserPage {
  readonly url: string;
  /** 0 for an address of the client's. */
  readonly status: number;
  readonly text: string;
  readonly headers?: Headers;
}
