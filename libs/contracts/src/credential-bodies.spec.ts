import { describe, expect, it } from 'vitest';
import { PutStaticCredential } from './credential-bodies.js';

const accepts = (kind: string, name: string, value: string) =>
  PutStaticCredential.safeParse({ kind, name, value }).success;

describe('a static credential', () => {
  it('is a header in lower case, or a variable as written', () => {
    expect(PutStaticCredential.parse({ kind: 'header', name: 'X-Api-Key', value: 'k' }).name).toBe('x-api-key');
    expect(PutStaticCredential.parse({ kind: 'environment', name: 'API_KEY', value: 'k' }).name).toBe('API_KEY');
    for (const name of ['authorization', 'cookie', 'x-api-key', 'DD-API-KEY'])
      expect(accepts('header', name, 'k')).toBe(true);
  });

  it.each([
    'Connection',
    'transfer-encoding',
    'TE',
    'upgrade',
    'keep-alive',
    'proxy-authorization',
    'trailer',
    'host',
    'Content-Length',
    'content-type',
    'Mcp-Session-Id',
    'mcp-protocol-version',
    'accept',
    'accept-encoding',
    'x-forwarded-for',
    'a b',
    'a:b',
    'a\r\nb',
    '',
    'ü',
    ':path',
    'expect',
    'last-event-id',
  ])('never is the header %j', (name) => {
    expect(accepts('header', name, 'k')).toBe(false);
  });

  it.each(['PATH', 'LD_PRELOAD', 'NODE_OPTIONS', 'node_options', 'BASH_ENV', 'PYTHONSTARTUP', 'A=B', '1A', 'A-B', ''])(
    'never is the variable %j, which could run other code or is none',
    (name) => {
      expect(accepts('environment', name, 'k')).toBe(false);
    },
  );

  it.each(['', 'a\r\nx: y', 'a\nb', 'a\0b', ' a', 'a ', 'ü', '\x7f', 'x'.repeat(8_193)])(
    'has no header value that HTTP would take apart, cut or refuse: %j',
    (value) => {
      expect(accepts('header', 'authorization', value)).toBe(false);
    },
  );

  it('may hold anything else of up to 8 KiB', () => {
    expect(accepts('header', 'authorization', 'x'.repeat(8_192))).toBe(true);
    expect(accepts('header', 'authorization', 'Bearer a b\tc')).toBe(true);
    expect(accepts('environment', 'KEY', 'ü'.repeat(4_096))).toBe(true);
    expect(accepts('environment', 'KEY', 'ü'.repeat(4_097))).toBe(false);
    for (const value of ['a\nb', 'a\0b', '\ud800']) expect(accepts('environment', 'KEY', value)).toBe(false);
  });
});
