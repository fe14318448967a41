import { describe, expect, it } from 'vitest';
import { MalformedResponse, ResponseParser } from './response-parser.js';

/** Reads an answer and tells what was heard of it, in one line. */
function read(pieces: readonly string[], isClosed = false): string {
  const heard: string[] = [];
  const parser = new ResponseParser({
    onHead: ({ status, fields, bodyBytes }) => heard.push(`${status} ${fields.join('|')} ${bodyBytes ?? '?'}`),
    onBody: (bytes) => heard.push(bytes.toString('latin1')),
    onEnd: () => heard.push('end'),
  });
  parser.expect();
  for (const piece of pieces) parser.push(Buffer.from(piece, 'latin1'));
  if (isClosed) parser.finish();
  return `${heard.join(' / ')}${parser.isReusable ? ' reusable' : ''}`;
}

const inPieces = (text: string): string[] => Array.from(text);

describe('an answer', () => {
  const counted = 'HTTP/1.1 200 OK\r\nContent-Type:  a/b \t\r\ncontent-length: 5\r\n\r\nhello';
  const chunked =
    'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x="y"\r\nhel\r\n2 \r\nlo\r\n0\r\nt: 1\r\n\r\n';

  it('is read by its length', () => {
    expect(read([counted])).toBe('200 content-type|a/b|content-length|5 5 / hello / end reusable');
  });

  it('is read by its chunks, whatever stands behind them', () => {
    expect(read([chunked])).toBe('200 transfer-encoding|Chunked ? / hel / lo / end reusable');
  });

  it('is the same in pieces of one byte', () => {
    expect(read(inPieces(counted))).toBe('200 content-type|a/b|content-length|5 5 / h / e / l / l / o / end reusable');
    expect(read(inPieces(chunked))).toBe('200 transfer-encoding|Chunked ? / h / e / l / l / o / end reusable');
  });

  it('lasts until the connection is closed where it has no length, and ends with it', () => {
    expect(read(['HTTP/1.1 200\r\n\r\n', 'one', 'two'])).toBe('200  ? / one / two');
    expect(read(['HTTP/1.1 200\r\n\r\none'], true)).toBe('200  ? / one / end');
    expect(read(['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel'], true)).toBe('200 content-length|5 5 / hel');
  });

  it('follows interim heads', () => {
    expect(read(['HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 204 None\r\n\r\n'])).toBe('204  0 / end reusable');
  });

  it.each([
    'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nconnection: close\r\nconnection: x\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\n',
    'HTTP/1.1 204 None\r\ntransfer-encoding: chunked\r\n\r\n',
  ])('is the last on its connection: %j', (text) => {
    expect(read([text])).toMatch(/0 \/ end$/);
  });

  it('may say how long its connection is kept', () => {
    const parser = new ResponseParser({ onHead: () => {}, onBody: () => {}, onEnd: () => {} });
    parser.expect();
    parser.push(Buffer.from('HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=7\r\ncontent-length: 0\r\n\r\n'));
    expect(parser.keepAliveSeconds).toBe(7);
  });
});

describe('what two parsers could read in two ways is refused', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  it.each([
    ['two lengths', `${ok}content-length: 1\r\ncontent-length: 1\r\n\r\n`],
    ['a list of lengths', `${ok}content-length: 1, 1\r\n\r\n`],
    ['a length with a sign', `${ok}content-length: +1\r\n\r\n`],
    ['a length in hex', `${ok}content-length: 0x1\r\n\r\n`],
    ['an empty length', `${ok}content-length:\r\n\r\n`],
    ['a length past what a number holds', `${ok}content-length: 9999999999999999\r\n\r\n`],
    ['a length and chunks', `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['chunks twice', `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['another coding', `${ok}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['a folded line', `${ok}a: b\r\n c: d\r\n\r\n`],
    ['white space before the colon', `${ok}content-length : 1\r\n\r\n`],
    ['a line feed alone', `${ok}a: b\nc: d\r\n\r\n`],
    ['a carriage return alone', `${ok}a: b\rc: d\r\n\r\n`],
    ['NUL', `${ok}a: \0\r\n\r\n`],
    ['a line without a colon', `${ok}what\r\n\r\n`],
    ['a name of nothing', `${ok}: x\r\n\r\n`],
    ['another protocol', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['HTTP 0.9', '<html>\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['another protocol from here on', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
    ['a chunk without a length', `${ok}transfer-encoding: chunked\r\n\r\n\r\n`],
    ['a chunk of a negative length', `${ok}transfer-encoding: chunked\r\n\r\n-1\r\n`],
    ['a chunk past 4 GiB', `${ok}transfer-encoding: chunked\r\n\r\n100000000\r\n`],
    ['a chunk that is longer than it says', `${ok}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n`],
    ['a chunk line that ends in a line feed', `${ok}transfer-encoding: chunked\r\n\r\n1\na\r\n`],
    ['bytes behind the answer', `${ok}content-length: 1\r\n\r\naHTTP/1.1 200 OK\r\n`],
  ])('%s', (_what, text) => {
    expect(() => read([text])).toThrow(MalformedResponse);
    expect(() => read(inPieces(text))).toThrow(MalformedResponse);
  });

  it.each([
    ['a head', `${ok}a: `],
    ['interim heads', 'HTTP/1.1 102 Wait\r\na: b\r\n\r\n'.repeat(1_000)],
    ['a chunk line', `${ok}transfer-encoding: chunked\r\n\r\n1;`],
    ['a trailer', `${ok}transfer-encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(3_000)}`],
  ])('%s without end', (_what, text) => {
    expect(() => read([text, 'x'.repeat(20_000)])).toThrow(MalformedResponse);
    expect(() => read([...inPieces(text), ...inPieces('x'.repeat(20_000))])).toThrow(MalformedResponse);
  });

  it('is not quoted in the error, for it may hold a secret', () => {
    expect(() => read(['HTTP/1.1 200 OK\r\nset-cookie : tango\r\n\r\n'])).toThrow(/^(?!.*tango)/);
  });
});
