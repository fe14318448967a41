import { describe, expect, it } from 'vitest';
import { namesUs, repeatedHeader } from './request-head.js';

describe('a request head', () => {
  it.each([
    ['Authorization', ['Host', 'a', 'Authorization', 'x', 'AUTHORIZATION', 'x']],
    ['Host', ['Host', 'a', 'authorization', 'x', 'host', 'a']],
    [undefined, ['Host', 'a', 'Authorization', 'x', 'Accept', '*/*', 'Accept', 'b', 'X-Authorization', 'y']],
  ])('with two of %s is told', (name, rawHeaders) => {
    expect(repeatedHeader({ rawHeaders })).toBe(name);
  });

  it.each([
    'mcp.example.com',
    'MCP.example.com:8443',
    'localhost:1',
    '127.0.0.1:8080',
    '[::1]:8080',
    'identity',
    '10.0.0.7',
  ])('that names %s may have been meant for us', (host) =>
    expect(namesUs(host, new URL('https://mcp.example.com'))).toBe(true),
  );

  it.each([
    undefined,
    '',
    'evil.example',
    'mcp.example.com.evil.example',
    'localhost.evil.example:8080',
    'evil.example.',
    'a@b.c',
    'x y',
    '127.0.0.1.nip.example',
  ])('that names %j was not (DNS rebinding)', (host) =>
    expect(namesUs(host, new URL('https://mcp.example.com'))).toBe(false),
  );
});
