import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const FORM_BYTES_MAX = 16_384;

/** Text that stands between tags or in a quoted attribute. */
export type Html = { readonly html: string };

/** HTML from a template: every value is escaped, but for HTML and lists of it. */
export function html(
  texts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  return { html: texts.map((text, index) => text + (index < values.length ? written(values[index]!) : '')).join('') };
}

function written(value: string | number | Html | readonly Html[]): string {
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return 'html' in value ? value.html : value.map((each) => each.html).join('');
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --quiet: #57606a; --line: #d0d7de; --act: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #161b22; --quiet: #9da7b1; --line: #3d444d; --act: #6cb6ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.35rem; line-height: 1.3 }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem }
.quiet { color: var(--quiet) }
.note { border-left: 4px solid #bf8700; padding: .25rem .75rem; margin: 1rem 0 }
.fault { border-left: 4px solid #cf222e; padding: .25rem .75rem; margin: 1rem 0 }
dl { margin: 1rem 0 } dt { color: var(--quiet); font-size: .875rem } dd { margin: 0 0 .75rem }
h3 { font-size: 1rem; margin: 0 }
a { color: var(--act) }
.card { border: 1px solid var(--line); border-radius: 6px; padding: .75rem; margin: .75rem 0 }
details { margin-top: .5rem } summary { cursor: pointer }
ul { padding-left: 1.25rem; max-height: 18rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px }
li { margin: .35rem 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 6px; padding: .75rem; max-height: 24rem; overflow: auto }
label { display: block; margin: .75rem 0 .25rem }
input[type=email], input[type=password], input[type=text], input[type=number], select, textarea { width: 100%; font: inherit; padding: .5rem; border: 1px solid var(--quiet); border-radius: 6px; background: transparent; color: inherit }
.acts { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem }
button { font: inherit; padding: .6rem 1.1rem; border-radius: 6px; border: 1px solid var(--quiet); background: transparent; color: inherit; cursor: pointer }
button.main { background: var(--act); border-color: var(--act); color: var(--paper) }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
`;
// No script and nothing from elsewhere; the style is told by the hash of all that stands in its element. `form-action` is left out: browsers apply it to where a form's answer redirects,
// and these lead to the company's provider and to the client.
const POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; frame-ancestors 'none'; base-uri 'none'`;

/** Headers of every page. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** A whole page. */
export function pageOf(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - Warder</title>
        ${{ html: `<style>${STYLE}</style>` }}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.html;
}

/** Answers a page. */
export function answerPage(response: ServerResponse, status: number, title: string, body: Html): void {
  const bytes = Buffer.from(pageOf(title, body));
  response.writeHead(status, { ...PAGE_HEADERS, 'content-length': bytes.length });
  response.end(bytes);
}

/** Sends the browser on, to be asked with GET whatever it asked with here. */
export function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, {
    location: to,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-length': 0,
  });
  response.end();
}

/** With what a page of ours may refuse. */
export type PageStatus = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 502 | 503;

/** What a person may see of why a page could not be given. */
export class PageError extends Error {
  override readonly name = 'PageError';
  constructor(
    readonly status: PageStatus,
    message: string,
  ) {
    super(message);
  }
}

/** One that has a code of its own, and goes on record; it may be tried again. */
export class PageRefusal extends PageError {
  constructor(
    status: PageStatus,
    readonly code: `WDR_${string}`,
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(status, message);
  }

  /** Says to the response when to try again (RFC 9110 section 10.2.3). */
  tell(response: ServerResponse): void {
    if (!response.headersSent) response.setHeader('retry-after', Math.max(1, Math.ceil(this.retryAfterMs / 1_000)));
  }
}

/** The fields of a form of at most so many bytes. @throws PageError 400, 413 or 415 for anything but a short form */
export async function formOf(request: IncomingMessage, bytesMax = FORM_BYTES_MAX): Promise<URLSearchParams> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new PageError(415, 'This page takes its own form only.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new PageError(413, 'The form is too long.');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
