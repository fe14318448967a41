import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canaryPlaces } from './canary-search.js';
import { filesAtRest } from './places-at-rest.js';

const SECRET = 'rt-canary-5f0c~77>?';
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-canary-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function placesIn(text: string, secrets: readonly string[] = [SECRET, 'rt-canary-another']): string[] {
  writeFileSync(join(dir, 'some.log'), `before ${text} after`);
  return canaryPlaces(secrets, { files: filesAtRest(dir), batches: [], rows: [] });
}

it.each([
  ['as it is', SECRET],
  ['in hexadecimal digits', Buffer.from(SECRET).toString('hex')],
  ['in those of PostgreSQL', `\\x${Buffer.from(SECRET).toString('hex').toUpperCase()}`],
  ...['', 'a', 'ab', 'Bearer '].flatMap((before): [string, string][] => [
    [`in Base64 behind "${before}"`, Buffer.from(`${before}${SECRET}`).toString('base64')],
    [`in Base64 of URLs behind "${before}"`, Buffer.from(`${before}${SECRET} and more`).toString('base64url')],
  ]),
])('finds a secret %s', (_how, text) => {
  expect(placesIn(text)).toHaveLength(1);
});

it('finds no text that only begins like one', () => {
  expect(placesIn('rt-canary-5f0c~77>')).toEqual([]);
});

it('names the place and what stands around it', () => {
  expect(placesIn(SECRET)).toEqual([`some.log: before ${SECRET} after`]);
});
