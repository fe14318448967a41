import { z } from 'zod';

const Ipv4 = z.ipv4();
const Ipv6 = z.ipv6();

/** An address, or the network that one begins, as a number of so many bits. */
interface Read {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

interface Network extends Read {
  /** Bits behind the prefix. */
  readonly rest: bigint;
}

const MAPPED = 0xffffn;

/**
 * The addresses from which a token is accepted. An entry that cannot be read lets nobody in, an IPv4 address in its
 * IPv6 form (RFC 4291 section 2.5.5.2) is that IPv4 address, and no network of the one family holds one of the other:
 * `net.BlockList` has every IPv4 address within `::/0`, and takes 20 times as long.
 */
export class AddressScope {
  private readonly networks: readonly Network[];
  /** Agents come again and again from where they are. */
  private last: { readonly address: string; readonly isWithin: boolean } | undefined;

  /** @param networks - addresses, and networks in CIDR notation */
  constructor(networks: readonly string[]) {
    this.networks = networks.map(networkOf).filter((network) => network !== undefined);
  }

  has(address: string): boolean {
    if (this.last?.address === address) return this.last.isWithin;
    const read = addressOf(address);
    const isWithin = read !== undefined && this.networks.some((network) => isIn(read, network));
    this.last = { address, isWithin };
    return isWithin;
  }

  /** Whether every address of the other scope is one of this: how far a token may hand itself on. */
  covers(other: AddressScope): boolean {
    return other.networks.every((inner) =>
      this.networks.some((outer) => inner.rest <= outer.rest && isIn(inner, outer)),
    );
  }
}

function isIn({ bits, value }: Read, network: Network): boolean {
  return bits === network.bits && value >> network.rest === network.value >> network.rest;
}

function networkOf(text: string): Network | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const read = addressOf(address);
  if (read === undefined || more.length > 0) return undefined;
  if (prefix === undefined) return { ...read, rest: 0n };
  // A prefix of the longer form counts the 96 bits before the IPv4 address.
  const length = Number(prefix) - (read.bits === 32 && address.includes(':') ? 96 : 0);
  if (!/^\d{1,3}$/.test(prefix) || length < 0 || length > read.bits) return undefined;
  return { ...read, rest: BigInt(read.bits - length) };
}

function addressOf(text: string): Read | undefined {
  // A zone says by which interface, and is no part of the address (RFC 4007 section 11).
  const [address = ''] = text.split('%', 1);
  if (Ipv4.safeParse(address).success) return { bits: 32, value: numberOf(address.split('.'), 8n) };
  if (!Ipv6.safeParse(address).success) return undefined;
  const value = valueOf6(address);
  return value >> 32n === MAPPED ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

function valueOf6(address: string): bigint {
  const [before = '', after] = address.split('::');
  const [left, right] = [groupsOf(before), groupsOf(after ?? '')];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0x0');
  return numberOf([...left, ...zeros, ...right], 16n);
}

function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [`0x${group}`];
    const value = numberOf(group.split('.'), 8n);
    return [String(value >> 16n), String(value & 0xffffn)];
  });
}

function numberOf(groups: readonly string[], bits: bigint): bigint {
  return groups.reduce((value, group) => (value << bits) | BigInt(group), 0n);
}
