import type { KeptFields } from '@warder/contracts';
import { FieldsRefused, type FormField } from './form-field.js';

/** A provider that is called with headers of its own. */
export interface HeaderForm {
  readonly entry: 'static-header';
  readonly title: string;
  /** Values name their fields in braces. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One that is called with a user name and a password (RFC 7617). */
export interface BasicForm {
  readonly entry: 'basic';
  readonly title: string;
}

const FIELD = /\{([a-z][a-z0-9_]*)\}/g;
/** Bytes of a header that a server takes at most. */
const HEADER_BYTES_MAX = 8_192;
const BASIC: readonly FormField[] = [
  { name: 'username', title: 'User name', isSecret: false },
  { name: 'password', title: 'Password', isSecret: true },
];

/** What has to be filled in, in its order. */
export function headerFields(form: HeaderForm | BasicForm): readonly FormField[] {
  if (form.entry === 'basic') return BASIC;
  const names = Object.values(form.headers).flatMap((value) => [...value.matchAll(FIELD)].map(([, name = '']) => name));
  return [...new Set(names)].map((name) => ({ name, title: name.replaceAll('_', ' '), isSecret: true }));
}

/** @throws FieldsRefused for fields of which no header can be made */
export function ensureHeaders(form: HeaderForm | BasicForm, given: KeptFields): void {
  for (const [name, value] of Object.entries(given)) {
    if (form.entry === 'basic' ? /\p{C}/u.test(value) : !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value))
      throw new FieldsRefused(`${name} holds what no header takes`);
  }
  // RFC 7617 section 2: the colon ends the user name.
  if (form.entry === 'basic' && given['username']?.includes(':') === true)
    throw new FieldsRefused('username holds a colon');
  const isLong = Object.values(headersOf(form, given)).some((value) => value.length > HEADER_BYTES_MAX);
  if (isLong) throw new FieldsRefused(`the header would be longer than ${HEADER_BYTES_MAX} bytes`);
}

/** The headers that a call carries. */
export function headersOf(form: HeaderForm | BasicForm, fields: KeptFields): Record<string, string> {
  const of = (name: string): string => {
    const value = fields[name];
    if (value === undefined) throw new FieldsRefused(`nothing is kept of ${name}`);
    return value;
  };
  if (form.entry === 'basic') {
    const pair = Buffer.from(`${of('username')}:${of('password')}`, 'utf8').toString('base64');
    return { authorization: `Basic ${pair}` };
  }
  const filled = Object.entries(form.headers).map(([name, value]) => [
    name,
    value.replaceAll(FIELD, (_all, field: string) => of(field)),
  ]);
  return Object.fromEntries(filled) as Record<string, string>;
}
