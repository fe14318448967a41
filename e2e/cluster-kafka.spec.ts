import { describe, expect, it } from 'vitest';
import { inRequests } from './cluster-kafka.js';

describe('messages that are written again', () => {
  it('are cut into requests that a broker takes, each message once and in order', () => {
    const messages = Array.from({ length: 100 }, (_, n) => ({ value: String(n).padEnd(12_000, 'x') }));
    const requests = inRequests(messages);
    expect(requests.flat()).toEqual(messages);
    expect(requests.map(({ length }) => length)).toEqual([40, 40, 20]);
  });

  it('go alone where one is larger than that', () => {
    const large = { value: Buffer.alloc(600_000) };
    expect(inRequests([large, { value: 'a' }, large])).toEqual([[large], [{ value: 'a' }], [large]]);
    expect(inRequests([])).toEqual([]);
  });
});
