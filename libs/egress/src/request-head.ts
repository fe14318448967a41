const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const TARGET = /^\/[\x21-\x7e]*$/;
/** Framing and routing are the connection's to say. */
const OWN = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'keep-alive', 'expect']);

const proved = new WeakMap<readonly string[], string>();

/**
 * A flat list of names and values as header lines. A list that is kept (a session's) is proved and written once.
 * @throws TypeError for what is no header, or is not the caller's to say: a line break in a value would be another
 * header, or another request
 */
export function headerLines(list: readonly string[]): string {
  let lines = proved.get(list);
  if (lines === undefined) {
    lines = linesOf(list);
    proved.set(list, lines);
  }
  return lines;
}

/** The same for a list of this one request. @throws TypeError */
export function linesOf(list: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    if (!TOKEN.test(name) || OWN.has(name.toLowerCase()))
      throw new TypeError('a header has a name that it may not have');
    // The value may be a credential, and errors are told.
    if (!VALUE.test(value)) throw new TypeError(`the header ${name} has a value that no header can have`);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** The lines of a request that are the same for all requests of a target. @throws TypeError */
export function requestStart(method: 'GET' | 'POST', target: string, host: string): string {
  if (!TARGET.test(target)) throw new TypeError('a request target is a path of visible ASCII');
  return `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
}
