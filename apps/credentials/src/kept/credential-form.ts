import { isKept, type KeptFields } from '@warder/contracts';

/** What a provider without OAuth is called with; `headers` where it is not HTTP's own Basic (RFC 7617). */
export interface CredentialForm {
  readonly title: string;
  /** Values name their fields in braces. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One field that somebody fills in. */
export interface FormField {
  readonly name: string;
  readonly title: string;
  readonly isSecret: boolean;
}

/** Why what was filled in is not kept; it names the field, never its value. */
export class FieldsRefused extends Error {
  override readonly name = 'FieldsRefused';
}

const FIELD = /\{([a-z][a-z0-9_]*)\}/g;
/** Bytes of a header that a server takes at most. */
const HEADER_BYTES_MAX = 8_192;
const BASIC: readonly FormField[] = [
  { name: 'username', title: 'User name', isSecret: false },
  { name: 'password', title: 'Password', isSecret: true },
];

/** Whether the entry is of a provider without OAuth. */
export function isFormEntry(entry: unknown): boolean {
  return entry === 'static-header' || entry === 'basic';
}

/** Whether connections of the kind can be to the provider. */
export function isTakenBy(
  provider: { readonly entry: string; readonly form: unknown; readonly exchange: unknown },
  kind: string,
): boolean {
  if (!isKept(kind)) return provider.form === null && (kind === 'token_exchange') === (provider.exchange !== null);
  return provider.entry === (kind.startsWith('basic_') ? 'basic' : 'static-header');
}

/** What has to be filled in, in its order. */
export function fieldsOf({ headers }: CredentialForm): readonly FormField[] {
  if (headers === undefined) return BASIC;
  const names = Object.values(headers).flatMap((value) => [...value.matchAll(FIELD)].map(([, name = '']) => name));
  return [...new Set(names)].map((name) => ({ name, title: name.replaceAll('_', ' '), isSecret: true }));
}

/**
 * What is kept: exactly the fields of the form.
 * @throws FieldsRefused for one that is missing, unknown, or of which no header can be made
 */
export function keptOf(form: CredentialForm, given: KeptFields): string {
  const fields = fieldsOf(form);
  const unknown = Object.keys(given).find((name) => !fields.some((field) => field.name === name));
  if (unknown !== undefined) throw new FieldsRefused(`there is no field ${unknown}`);
  for (const { name } of fields) {
    const value = given[name] ?? '';
    if (value === '') throw new FieldsRefused(`${name} is empty`);
    if (form.headers === undefined ? /\p{C}/u.test(value) : !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value))
      throw new FieldsRefused(`${name} holds what no header takes`);
  }
  // RFC 7617 section 2: the colon ends the user name.
  if (form.headers === undefined && given['username']?.includes(':') === true)
    throw new FieldsRefused('username holds a colon');
  const text = JSON.stringify(given);
  const isLong = Object.values(headersOf(form, text)).some((value) => value.length > HEADER_BYTES_MAX);
  if (isLong) throw new FieldsRefused(`the header would be longer than ${HEADER_BYTES_MAX} bytes`);
  return text;
}

/** The headers that a call carries. @param kept - of `keptOf` */
export function headersOf({ headers }: CredentialForm, kept: string): Record<string, string> {
  const fields = JSON.parse(kept) as KeptFields;
  const of = (name: string): string => {
    const value = fields[name];
    if (value === undefined) throw new FieldsRefused(`nothing is kept of ${name}`);
    return value;
  };
  if (headers === undefined) {
    const pair = Buffer.from(`${of('username')}:${of('password')}`, 'utf8').toString('base64');
    return { authorization: `Basic ${pair}` };
  }
  const filled = Object.entries(headers).map(([name, value]) => [
    name,
    value.replaceAll(FIELD, (_all, field: string) => of(field)),
  ]);
  return Object.fromEntries(filled) as Record<string, string>;
}
