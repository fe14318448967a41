import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createDoor } from './door.js';

const door = createDoor(() => new URL('https://warder.example.com'), ['10.0.0.0/8', '::1']);
const from = (remoteAddress: string, forwarded?: string) =>
  door.clientAddress({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage);

describe('the address of a client', () => {
  it('is the socket’s, whatever a stranger’s header says', () => {
    expect(from('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(from('::ffff:203.0.113.9')).toBe('203.0.113.9');
  });

  it('is what the nearest trusted proxy saw, not what the client put before it', () => {
    expect(from('10.0.0.2', '1.1.1.1, 198.51.100.7')).toBe('198.51.100.7');
    expect(from('10.0.0.2', '1.1.1.1, 198.51.100.7, 10.0.0.9')).toBe('198.51.100.7');
    expect(from('::1', '198.51.100.7')).toBe('198.51.100.7');
  });

  it('is the proxy’s where the header is nonsense', () => {
    expect(from('10.0.0.2', 'unknown')).toBe('10.0.0.2');
    expect(from('10.0.0.2', '')).toBe('10.0.0.2');
  });
});
