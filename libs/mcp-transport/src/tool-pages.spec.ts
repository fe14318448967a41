import { expect, it } from 'vitest';
import { collectTools } from './tool-pages.js';
import type { UpstreamAnswer } from './upstream.js';

const BOUNDS = { toolsMax: 10_000, answerBytesMax: 100_000 };

/** An upstream that always has one page more, with one tool of this many characters on it. */
function endless(characters: number): { readonly pages: () => number; readonly ask: () => Promise<UpstreamAnswer> } {
  let pages = 0;
  const ask = async (): Promise<UpstreamAnswer> => {
    pages += 1;
    const tool = { name: `tool-${pages}`, description: 'd'.repeat(characters), inputSchema: { type: 'object' } };
    return { result: { tools: [tool], nextCursor: `page-${pages}` } };
  };
  return { pages: () => pages, ask };
}

it('stops at the page with which a list grows past what one answer may hold', async () => {
  const upstream = endless(10_000);
  await expect(collectTools(upstream.ask, BOUNDS)).rejects.toMatchObject({ reason: 'too-large' });
  expect(upstream.pages()).toBe(10);
});

it('counts bytes, and what is no tool too', async () => {
  const nameless = async (): Promise<UpstreamAnswer> => ({
    result: { tools: [{ description: 'ü'.repeat(50_000) }], nextCursor: '' },
  });
  await expect(collectTools(nameless, BOUNDS)).rejects.toMatchObject({ reason: 'too-large' });
});

it('takes a list of many pages that is short enough', async () => {
  let page = 0;
  const ask = async (): Promise<UpstreamAnswer> => {
    page += 1;
    const tools = [{ name: `tool-${page}`, inputSchema: { type: 'object' } }, 7, null];
    return { result: { tools, ttlMs: 5, ...(page < 500 ? { nextCursor: String(page) } : {}) } };
  };
  const { tools, ttlMs } = await collectTools(ask, BOUNDS);
  expect([tools.length, ttlMs]).toEqual([500, 5]);
});

it('leaves out a tool whose name no index of the audit store would hold', async () => {
  const tools = [256, 257].map((characters) => ({ name: 'n'.repeat(characters), inputSchema: { type: 'object' } }));
  const found = await collectTools(async () => ({ result: { tools } }), BOUNDS);
  expect(found.tools.map(({ name }) => name.length)).toEqual([256]);
});
