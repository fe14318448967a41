import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedBrowser } from './scripted-browser.js';

const GIVEN = [
  'strict=1; Path=/; SameSite=Strict',
  'lax=1; Path=/; SameSite=Lax',
  'plain=1; Path=/',
  'none=1; Path=/; SameSite=None',
];
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    if (pathname === '/give') response.setHeader('set-cookie', GIVEN);
    if (pathname === '/on') return response.writeHead(303, { location: searchParams.get('to')! }).end();
    const form = `<form method="post" action="${searchParams.get('to')}"></form>`;
    response.end(pathname === '/form' ? form : String(request.headers.cookie));
  }).listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterAll(() => server.close());

describe('a scripted browser', () => {
  const here = (path: string) => `http://127.0.0.1:${port}${path}`;
  const there = (path: string) => `http://localhost:${port}${path}`;
  const posting = async (from: string): Promise<string> => {
    const browser = new ScriptedBrowser();
    await browser.open(here('/give'));
    return (await browser.submit(await browser.open(from), {})).text;
  };

  it('posts all cookies to the site of the page, and from another site only those that are meant for it', async () => {
    expect(await posting(here(`/form?to=${here('/see')}`))).toBe('strict=1; lax=1; plain=1; none=1');
    expect(await posting(there(`/form?to=${here('/see')}`))).toBe('none=1');
  });

  it('sends lax ones again once a POST from another site was redirected to a GET, and strict ones not', async () => {
    const on = encodeURIComponent(here(`/on?to=${here('/see')}`));
    expect(await posting(there(`/form?to=${on}`))).toBe('lax=1; plain=1; none=1');
  });
});
