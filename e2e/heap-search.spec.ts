import { text } from 'node:stream/consumers';
import { getHeapSnapshot } from 'node:v8';
import { expect, it } from 'vitest';
import { searchHeap } from './heap-search.js';

/** Made at run time, so that it stands in no source, which the heap holds too; whole, as what is parsed is. */
const made = (what: string): string =>
  Buffer.from(`${what}-${process.pid}-${Math.round(performance.now() * 1_000)}`).toString('latin1');

it('tells a secret that names a property from one that is a value, and finds nothing that is not there', async () => {
  const [name, other, value, mapKey, absent] = [
    made('name'),
    made('other'),
    made('value'),
    made('key'),
    made('absent'),
  ];
  const held = { [name]: 1.5, [other]: {}, kept: [`Bearer ${value}`], map: new Map([[mapKey, true]]) };
  const snapshot = JSON.parse(await text(getHeapSnapshot({ exposeNumericValues: true }))) as Parameters<
    typeof searchHeap
  >[0];
  for (const each of [name, other]) expect(searchHeap(snapshot, [each]).names).toContain(each);
  expect(searchHeap(snapshot, [value]).names).toEqual([]);
  expect(searchHeap(snapshot, [value]).values).not.toEqual([]);
  expect(searchHeap(snapshot, [mapKey]).names).toEqual([]);
  expect(searchHeap(snapshot, [mapKey]).values).toContain(mapKey);
  expect(searchHeap(snapshot, [Buffer.from(absent).toString('hex').slice(0, -4)])).toEqual({ names: [], values: [] });
  expect(Object.keys(held)).toHaveLength(4);
}, 60_000);
