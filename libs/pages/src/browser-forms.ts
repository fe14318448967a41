import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PageError } from './web.js';

/**
 * Ties what is asked to the browser that was shown the question: a cookie with a secret of the browser's, and in every
 * form a token that is made of it. On TLS the cookie's name carries `__Host-`: no other host or path can have set it
 * (RFC 6265bis section 4.1.3.2).
 */
export class BrowserForms {
  private readonly name: string;

  /** @param key - 32 characters or more */
  constructor(
    private readonly key: string,
    private readonly isSecure: boolean,
  ) {
    this.name = isSecure ? '__Host-wdr_browser' : 'wdr_browser';
  }

  /** The browser's secret; undefined where it has none. */
  browser(request: IncomingMessage): string | undefined {
    for (const each of (request.headers.cookie ?? '').split(';')) {
      const [name = '', value] = each.trim().split('=', 2);
      if (name === this.name && value !== undefined && /^[\w-]{43}$/.test(value)) return value;
    }
    return undefined;
  }

  /** What stands in a form about `subject`; a browser without a secret is given one. */
  token(request: IncomingMessage, response: ServerResponse, subject: string): string {
    const known = this.browser(request);
    if (known !== undefined) return this.tokenOf(known, subject);
    const made = randomBytes(32).toString('base64url');
    const secure = this.isSecure ? '; Secure' : '';
    response.appendHeader('set-cookie', `${this.name}=${made}; Path=/; HttpOnly; SameSite=Lax${secure}`);
    return this.tokenOf(made, subject);
  }

  /**
   * Whether the form was shown in this browser.
   * @returns the browser's secret
   * @throws PageError 403
   */
  ensure(request: IncomingMessage, form: URLSearchParams, subject: string): string {
    const browser = this.browser(request);
    const given = Buffer.from(form.get('token') ?? '');
    const wanted = Buffer.from(this.tokenOf(browser ?? '', subject));
    if (browser === undefined || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new PageError(403, 'This form was not shown in this browser. Start again in your program.');
    }
    return browser;
  }

  private tokenOf(browser: string, subject: string): string {
    return createHmac('sha256', this.key).update(`${browser}/${subject}`).digest('base64url');
  }
}
