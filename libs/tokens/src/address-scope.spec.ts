import { BlockList, isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AddressScope } from './address-scope.js';

const has = (networks: string[], ...addresses: string[]) => {
  const scope = new AddressScope(networks);
  return addresses.map((address) => scope.has(address));
};

describe('an address scope', () => {
  it('has what its prefixes begin, to the bit, and single addresses', () => {
    expect(has(['192.0.2.128/25'], '192.0.2.127', '192.0.2.128', '192.0.2.255', '192.0.3.0')).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(has(['203.0.113.7', '2001:db8::1'], '203.0.113.7', '203.0.113.8', '2001:db8::1', '2001:db8::2')).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(has(['2001:db8:0:ff00::/56'], '2001:db8:0:ff7f::1', '2001:db8:0:fe00::1')).toEqual([true, false]);
    // What is behind the prefix says nothing.
    expect(has(['10.1.2.3/8'], '10.200.0.1', '11.0.0.1')).toEqual([true, false]);
    expect(has(['0.0.0.0/0'], '8.8.8.8')).toEqual([true]);
  });

  it('takes an IPv4 address in its IPv6 form for that address, in an entry too', () => {
    const mapped = ['::ffff:10.0.0.1', '::FFFF:a00:1', '0:0:0:0:0:ffff:10.0.0.1'];
    expect(has(['10.0.0.0/8'], ...mapped)).toEqual([true, true, true]);
    expect(has(['::ffff:10.0.0.0/104'], '10.200.0.1', '11.0.0.1')).toEqual([true, false]);
    expect(has(['::ffff:10.0.0.0/95'], '10.0.0.0')).toEqual([false]);
  });

  it('keeps the families apart', () => {
    expect(has(['::/0'], '10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1')).toEqual([false, false, true]);
    expect(has(['0.0.0.0/0'], '2001:db8::1', '::1')).toEqual([false, false]);
    expect(has(['10.0.0.0/8'], '::10.0.0.1', 'a00::')).toEqual([false, false]);
  });

  it('passes over the zone of an address', () => {
    expect(has(['fe80::/10'], 'fe80::1%eth0', 'fe80::1')).toEqual([true, true]);
  });

  it('lets nobody in by an entry that cannot be read, nor from an address that cannot', () => {
    const broken = [
      '',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0/8',
      '::/129',
      '10.0.0.0/8/8',
      'localhost',
      '*',
    ];
    expect(has(broken, '10.0.0.1', '::1', '')).toEqual([false, false, false]);
    expect(has(['0.0.0.0/0', '::/0'], '', 'localhost', '10.0.0', '10.0.0.1:80', '[::1]')).toEqual(
      Array.from({ length: 5 }, () => false),
    );
    expect(has([], '10.0.0.1')).toEqual([false]);
  });

  it('reads what Node takes for an address, and nothing else', () => {
    const parts = [
      '',
      '0',
      '1',
      'ffff',
      'FFFF',
      '10000',
      '::',
      ':',
      '1.2.3.4',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3',
      'g',
      '-1',
    ];
    const everything = new AddressScope(['0.0.0.0/0', '::/0']);
    const random = seeded(20_261_128);
    let valid = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const length = 1 + Math.floor(random() * 9);
      const text = Array.from({ length }, () => parts[Math.floor(random() * parts.length)]).join(
        random() < 0.9 ? ':' : '',
      );
      if (isIP(text) > 0) valid += 1;
      expect({ text, isRead: everything.has(text) }).toEqual({ text, isRead: isIP(text) > 0 });
    }
    expect(valid).toBeGreaterThan(50);
  });

  it('has of each family what Node’s own list of networks has', () => {
    const random = seeded(20_261_129);
    const part = () => String(Math.floor(random() * 4));
    for (let round = 0; round < 2_000; round += 1) {
      const isShort = round % 2 === 0;
      const [network, address] = [0, 1].map(() =>
        Array.from({ length: isShort ? 4 : 8 }, part).join(isShort ? '.' : ':'),
      ) as [string, string];
      const prefix = Math.floor(random() * (isShort ? 33 : 129));
      const list = new BlockList();
      list.addSubnet(network, prefix, isShort ? 'ipv4' : 'ipv6');
      const expected = list.check(address, isShort ? 'ipv4' : 'ipv6');
      expect({ network, prefix, address, has: has([`${network}/${prefix}`], address)[0] }).toEqual({
        network,
        prefix,
        address,
        has: expected,
      });
    }
  });

  it('answers anew for another address than the last', () => {
    expect(has(['10.0.0.0/8'], '10.0.0.1', '11.0.0.1', '10.0.0.1', '10.0.0.1')).toEqual([true, false, true, true]);
  });

  it('covers another whose every network lies within one of its own', () => {
    const covers = (outer: string[], inner: string[]) => new AddressScope(outer).covers(new AddressScope(inner));
    expect(covers(['10.0.0.0/8'], ['10.1.0.0/16', '10.2.3.4'])).toBe(true);
    expect(covers(['10.0.0.0/8'], ['10.0.0.0/8'])).toBe(true);
    expect(covers(['10.0.0.0/8'], ['10.0.0.0/7'])).toBe(false);
    expect(covers(['10.0.0.0/8'], ['10.1.0.0/16', '2001:db8::1'])).toBe(false);
    expect(covers(['::/0'], ['10.0.0.0/8'])).toBe(false);
  });
});

/** A sequence that is the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
