import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Where people and agents reach us, and how to tell who they are: from configuration, never from a header. */
export interface Door {
  /** The one public origin; known once the listener is bound. */
  publicUrl(): URL;
  readonly trustedProxies: readonly string[];
  /** The address to record and to limit: the socket's, or what the nearest trusted proxy says. */
  clientAddress(request: IncomingMessage): string;
}

export function createDoor(publicUrl: () => URL, trustedProxies: readonly string[]): Door {
  const trusted = blockListOf(trustedProxies);
  return {
    publicUrl,
    trustedProxies,
    clientAddress: (request) =>
      clientAddressOf(request.socket.remoteAddress ?? '', request.headers['x-forwarded-for'], trusted),
  };
}

/** Tells addresses of this machine and of the trusted network from all others: only those are told our inside. */
export function createInsiders(trustedProxies: readonly string[]): (address: string) => boolean {
  const trusted = blockListOf(trustedProxies);
  return (address) => isLoopback(address) || isTrusted(address, trusted);
}

/** Whether all of it can be read as addresses or networks in CIDR notation; the first that cannot, else undefined. */
export function firstBadNetwork(networks: readonly string[]): string | undefined {
  return networks.find((network) => !isNetwork(network));
}

/** Whether the address is of this machine only. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

// The rightmost address that no trusted proxy wrote: everything left of it came from the client and may be a lie.
function clientAddressOf(remote: string, forwarded: string | string[] | undefined, trusted: BlockList): string {
  let address = plain(remote);
  if (forwarded === undefined || !isTrusted(address, trusted)) return address;
  const hops = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded).split(',').map((hop) => plain(hop.trim()));
  for (const hop of hops.toReversed()) {
    if (isIP(hop) === 0) return address;
    address = hop;
    if (!isTrusted(hop, trusted)) return hop;
  }
  return address;
}

function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function isNetwork(network: string): boolean {
  const [address = '', bits, ...rest] = network.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
