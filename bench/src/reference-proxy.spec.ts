import { expect, it } from 'vitest';
import { referenceProxy } from './reference-proxy.js';

it('runs the pinned reference proxy and no other', () => {
  expect(referenceProxy()).toMatch(/ref\/raw\.mjs$/);
});
