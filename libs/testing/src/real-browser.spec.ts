import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealBrowser } from './real-browser.js';

const PAGE = `<!doctype html><title>Page</title><h1>As it came</h1>
<div style="width: 500px">wide</div><form action="/done"><button>Go on</button></form>
<script>document.querySelector('h1').textContent = 'A script ran';</script>`;

let server: Server;
let browser: RealBrowser;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const cookies = request.headers.cookie ?? 'none';
    response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'seen=yes' });
    response.end(request.url?.startsWith('/done') === true ? `<h1>Cookies: ${cookies}</h1>` : PAGE);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  browser = await RealBrowser.start();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

describe('a real browser', () => {
  it('runs no script of a page unless it is told to, so that what works in it needs none', async () => {
    const without = await browser.person();
    await without.visit(url);
    expect(await without.heading()).toBe('As it came');
    const withScripts = await browser.person({ javaScript: true });
    await withScripts.visit(url);
    expect(await withScripts.heading()).toBe('A script ran');
  });

  it('tells a page that is wider than its window from one that is not', async () => {
    for (const [width, isTooWide] of [
      [360, true],
      [800, false],
    ] as const) {
      const window = await browser.person({ viewport: { width, height: 600 } });
      await window.visit(url);
      expect(await window.isTooWide()).toBe(isTooWide);
    }
  });

  it('gives each person cookies of their own', async () => {
    const first = await browser.person();
    await first.visit(url);
    await first.press('Go on');
    expect(await first.heading()).toBe('Cookies: seen=yes');
    const second = await browser.person();
    await second.visit(`${url}done`);
    expect(await second.heading()).toBe('Cookies: none');
  });
});
