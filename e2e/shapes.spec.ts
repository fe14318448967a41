import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from '@warder/testing';
import { describe, expect, it } from 'vitest';
import { STORY_SHAPES } from './shapes.js';

describe('the table of stories', () => {
  it('is the one of docs/stories.md', () => {
    const page = readFileSync(join(checkoutRoot(), 'docs/stories.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(?<story>[^`]+)` +\|.*\| (?<shapes>[^|]+?) +\|$/gm)];
    const told = Object.fromEntries(rows.map(({ groups }) => [groups?.['story'], groups?.['shapes']?.split(', ')]));
    expect(told).toEqual(STORY_SHAPES);
  });

  it('has each folder of e2e/stories', () => {
    const folders = readdirSync(join(checkoutRoot(), 'e2e/stories'));
    expect(folders.length).toBeGreaterThan(0);
    expect(Object.keys(STORY_SHAPES)).toEqual(expect.arrayContaining(folders));
  });
});
