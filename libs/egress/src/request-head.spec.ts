import { expect, it } from 'vitest';
import { headerLines, linesOf, requestStart } from './request-head.js';

it('writes what it was given', () => {
  expect(requestStart('POST', '/mcp?x=1', 'example.com:8080') + linesOf(['accept', 'a/b', 'X-Y', ''])).toBe(
    'POST /mcp?x=1 HTTP/1.1\r\nhost: example.com:8080\r\nconnection: keep-alive\r\naccept: a/b\r\nX-Y: \r\n',
  );
});

it.each(['a\r\nb: c', 'a\nb', 'a\0', 'grü\u0161e'])('lets no value be more than a value: %j', (value) => {
  expect(() => linesOf(['x', value])).toThrow(TypeError);
  expect(() => headerLines(['x', value])).toThrow(TypeError);
});

it.each(['', 'a b', 'a:', 'a\r\n', 'ä', 'Content-Length', 'transfer-encoding', 'HOST', 'connection'])(
  'lets nobody say %j',
  (name) => {
    expect(() => linesOf([name, '1'])).toThrow(TypeError);
  },
);

it('does not tell a value that may be a credential', () => {
  expect(() => linesOf(['authorization', 'tango\n'])).toThrow(/^(?!.*tango)/);
});

it.each(['', 'mcp', '/a b', '/a\r\nx', 'http://other/'])('takes no target that is no path: %j', (target) => {
  expect(() => requestStart('POST', target, 'h')).toThrow(TypeError);
});
