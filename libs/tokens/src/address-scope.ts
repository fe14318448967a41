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
const BYTE = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

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
  const isShort = !address.includes(':');
  const value = isShort ? valueOf4(address) : valueOf6(address);
  if (value === undefined) return undefined;
  if (isShort) return { bits: 32, value };
  return value >> 32n === MAPPED ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

function valueOf4(address: string): bigint | undefined {
  const bytes = address.split('.');
  const isWhole = bytes.length === 4 && bytes.every((byte) => BYTE.test(byte) && Number(byte) <= 255);
  return isWhole ? numberOf(bytes, 8n) : undefined;
}

/** @see RFC 4291 section 2.2 */
function valueOf6(address: string): bigint | undefined {
  const [before = '', after, ...more] = address.split('::');
  const left = groupsOf(before, after === undefined);
  const right = groupsOf(after ?? '', true);
  if (left === undefined || right === undefined || more.length > 0) return undefined;
  const zeros = 8 - left.length - right.length;
  // `::` stands for one group of zeros at least, and without it there are eight.
  if (after === undefined ? zeros !== 0 : zeros < 1) return undefined;
  return numberOf([...left, ...Array.from({ length: zeros }, () => '0'), ...right], 16n);
}

/** @param isEnd - whether the last two groups may be written as an IPv4 address */
function groupsOf(text: string, isEnd: boolean): string[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const tail = isEnd && groups.at(-1)?.includes('.') ? valueOf4(groups.pop() ?? '') : null;
  if (tail === undefined || !groups.every((group) => GROUP.test(group))) return undefined;
  const read = groups.map((group) => `0x${group}`);
  return tail === null ? read : [...read, String(tail >> 16n), String(tail & 0xffffn)];
}

function numberOf(groups: readonly string[], bits: bigint): bigint {
  return groups.reduce((value, group) => (value << bits) | BigInt(group), 0n);
}
