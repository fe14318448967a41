import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { html, PAGE_HEADERS, pageOf } from './web.js';

it('lets a browser take the style of the page: the policy names the hash of all that stands in its element', () => {
  const style = /<style>(.*)<\/style>/s.exec(pageOf('Sign in', html`<h1>Hello</h1>`))![1]!;
  expect(style).toContain('body {');
  expect(PAGE_HEADERS['content-security-policy']).toContain(`style-src 'sha256-${hash('sha256', style, 'base64')}'`);
});

it('escapes what stands in a page, be it between tags or in an attribute', () => {
  const bad = `<script>"'&`;
  expect(html`<a title="${bad}">${bad}</a>`.html).toBe(
    '<a title="&#60;script&#62;&#34;&#39;&#38;">&#60;script&#62;&#34;&#39;&#38;</a>',
  );
});
