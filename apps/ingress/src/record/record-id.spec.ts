import { expect, it } from 'vitest';
import { newRecordId } from './record-id.js';

it('is a UUIDv7 that begins with its time and never comes twice', () => {
  const ids = Array.from({ length: 10_000 }, () => newRecordId(0x0193_673e_7c1f));
  expect(new Set(ids).size).toBe(10_000);
  for (const id of ids) expect(id).toMatch(/^0193673e-7c1f-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids.map((id) => id[19])).size).toBe(4);
});
