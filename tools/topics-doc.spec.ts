import { readFileSync } from 'node:fs';
import { EVERY_TOPIC } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { asyncApi, topicsPage } from './topics-doc.mjs';

const page = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');

describe('the pages about topics', () => {
  it('say what the topic files say: docs/topics.md', async () => {
    expect(page('topics.md')).toBe(await topicsPage(EVERY_TOPIC));
  });

  it('say what the topic files say: docs/asyncapi.yaml', async () => {
    expect(page('asyncapi.yaml')).toBe(await asyncApi(EVERY_TOPIC));
  });

  it('name every topic and who may write it', () => {
    expect(EVERY_TOPIC.length).toBeGreaterThan(9);
    expect(page('topics.md')).toMatch(/\| \[`warder\.token\.state\.v1`\][^\n]+\| identity +\| every service +\|/);
    for (const { name } of EVERY_TOPIC) expect(page('topics.md')).toContain(`## ${name}\n`);
  });
});
