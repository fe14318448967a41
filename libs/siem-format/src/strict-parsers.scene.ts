/** What a message of RFC 5424 holds. */
export interface ParsedSyslog {
  readonly priority: number;
  readonly timestamp: string;
  readonly host: string;
  readonly app: string;
  readonly processId: string;
  readonly messageId: string;
  readonly data: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly message: string;
}

/** Reads text from its beginning and fails at the first character that the grammar does not allow there. */
class Cursor {
  private at = 0;
  constructor(private readonly text: string) {}

  take(pattern: RegExp, what: string): string {
    const found = new RegExp(pattern.source, `${pattern.flags.replace('y', '')}y`);
    found.lastIndex = this.at;
    const match = found.exec(this.text);
    if (match === null)
      throw new Error(`no ${what} at ${this.at}: ${JSON.stringify(this.text.slice(this.at, this.at + 40))}`);
    this.at += match[0].length;
    return match[0];
  }

  sees(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  rest(): string {
    return this.text.slice(this.at);
  }
}

const NAME = /[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}/;

/** RFC 5424 section 6, by its grammar. @throws Error naming the place where the text is no such message */
export function parseSyslog(text: string): ParsedSyslog {
  const cursor = new Cursor(text);
  const field = (pattern: RegExp, what: string): string => {
    const found = cursor.take(pattern, what);
    cursor.take(/ /, 'space');
    return found;
  };
  const priority = Number(cursor.take(/<(?:0|[1-9]\d{0,2})>/, 'priority').slice(1, -1));
  if (priority > 191) throw new Error('no such priority');
  field(/1/, 'version');
  const header = {
    priority,
    timestamp: field(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)/, 'timestamp'),
    host: field(/[\x21-\x7e]{1,255}/, 'host'),
    app: field(/[\x21-\x7e]{1,48}/, 'application'),
    processId: field(/[\x21-\x7e]{1,128}/, 'process id'),
    messageId: field(/[\x21-\x7e]{1,32}/, 'message id'),
  };
  const data = new Map<string, Map<string, string>>();
  if (cursor.sees('-')) cursor.take(/-/, 'nil');
  else while (cursor.sees('[')) element(cursor, data);
  const message = cursor.rest() === '' ? '' : (cursor.take(/ /, 'space'), cursor.rest());
  return { ...header, data, message };
}

function element(cursor: Cursor, data: Map<string, Map<string, string>>): void {
  cursor.take(/\[/, 'element');
  const id = cursor.take(NAME, 'name');
  if (data.has(id)) throw new Error(`two elements ${id}`);
  const parameters = new Map<string, string>();
  data.set(id, parameters);
  while (cursor.sees(' ')) {
    cursor.take(/ /, 'space');
    const name = cursor.take(NAME, 'name');
    const quoted = cursor.take(/="(?:[^"\\\]]|\\["\\\]])*"/u, 'value');
    if (parameters.has(name)) throw new Error(`two parameters ${name}`);
    parameters.set(name, quoted.slice(2, -1).replace(/\\(["\\\]])/g, '$1'));
  }
  cursor.take(/\]/, 'end of the element');
}

/** A header and its fields. */
export interface ParsedFields {
  readonly header: readonly string[];
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * ArcSight's Common Event Format: seven header fields that end at a bare `|`, then pairs. A key begins behind a space
 * and ends at a bare `=`; whatever stands before it belongs to the value before.
 */
export function parseCef(text: string): ParsedFields {
  const cursor = new Cursor(text);
  const header = Array.from({ length: 7 }, () => {
    const field = cursor.take(/(?:[^|\\\r\n]|\\[|\\])*/u, 'header field');
    cursor.take(/\|/, 'bar');
    return field.replace(/\\([|\\])/g, '$1');
  });
  const fields = new Map<string, string>();
  const pairs = cursor.rest();
  const keys = [...pairs.matchAll(/(?:^| )([A-Za-z0-9_.[\]-]+)=/g)];
  if (pairs !== '' && keys[0]?.index !== 0) throw new Error('the extension begins with no key');
  keys.forEach((match, place) => {
    const value = pairs.slice(match.index + match[0].length, keys[place + 1]?.index);
    if (!/^(?:[^=\\\r\n]|\\[=\\nr])*$/u.test(value)) throw new Error(`no value of ${match[1]}: ${value.slice(0, 80)}`);
    if (fields.has(match[1]!)) throw new Error(`two fields ${match[1]}`);
    const unescape = (_: string, code: string): string => ({ n: '\n', r: '\r' })[code] ?? code;
    fields.set(match[1]!, value.replace(/\\([=\\nr])/g, unescape));
  });
  return { header, fields };
}

/** IBM's LEEF 2.0: six header fields that end at `|`, the last the delimiter, then pairs that end at it. No escapes. */
export function parseLeef(text: string): ParsedFields {
  const header: string[] = [];
  let rest = text;
  for (let count = 0; count < 6; count += 1) {
    const at = rest.indexOf('|');
    if (at < 0) throw new Error('the header is cut');
    header.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  const fields = new Map<string, string>();
  for (const pair of rest.split(header[5]!)) {
    const at = pair.indexOf('=');
    if (at < 1) throw new Error(`no pair: ${pair.slice(0, 80)}`);
    const key = pair.slice(0, at);
    if (fields.has(key)) throw new Error(`two fields ${key}`);
    fields.set(key, pair.slice(at + 1));
  }
  return { header, fields };
}
