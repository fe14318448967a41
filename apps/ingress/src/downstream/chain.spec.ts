import { expect, it } from 'vitest';
import { Chain, type Linked } from './chain.js';

const item = (name: string) => ({ name, before: undefined, after: undefined }) as Linked & { name: string };

it('keeps order whatever is taken out, and takes nothing out twice', () => {
  const chain = new Chain<ReturnType<typeof item>>();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(item) as [never, never, never, never];
  for (const each of [a, b, c, d]) chain.add(each);
  const names = () => [...chain].map(({ name }) => name).join('');
  expect([names(), chain.size]).toEqual(['abcd', 4]);
  chain.remove(b);
  chain.remove(b);
  chain.remove(a);
  expect([names(), chain.size]).toEqual(['cd', 2]);
  chain.remove(d);
  chain.add(a);
  expect(names()).toBe('ca');
  chain.remove(c);
  chain.remove(a);
  expect([names(), chain.size]).toEqual(['', 0]);
});

it('lets what is taken out point at nothing', () => {
  const chain = new Chain();
  const [a, b, c] = [item('a'), item('b'), item('c')];
  for (const each of [a, b, c]) chain.add(each);
  chain.remove(b);
  expect([b.before, b.after, a.after, c.before]).toEqual([undefined, undefined, c, a]);
});

it('can be emptied while it is walked', () => {
  const chain = new Chain<ReturnType<typeof item>>();
  for (const name of ['a', 'b', 'c']) chain.add(item(name));
  for (const each of chain) chain.remove(each);
  expect(chain.size).toBe(0);
});

it('is walked to its end, whatever the work on one item takes out', () => {
  const chain = new Chain<ReturnType<typeof item>>();
  const [a, b, c] = [item('a'), item('b'), item('c')];
  for (const each of [a, b, c]) chain.add(each);
  const seen: string[] = [];
  for (const each of chain) {
    seen.push(each.name);
    if (each === a) chain.remove(b);
  }
  expect(seen).toContain('c');
});
