import { isKept, type KeptFields, type PutCredentialForm, type UpstreamCredential } from '@warder/contracts';
import { AWS_FIELDS, ensureAwsKeys } from './aws-keys.js';
import { CERTIFICATE_FIELDS, certificateOf } from './client-certificate.js';
import { FieldsRefused, type FormField } from './form-field.js';
import { type BasicForm, ensureHeaders, headerFields, headersOf, type HeaderForm } from './header-forms.js';

/** What a provider without OAuth is called with. */
export type CredentialForm =
  | HeaderForm
  | BasicForm
  | { readonly entry: 'mtls'; readonly title: string }
  | { readonly entry: 'aws-sigv4'; readonly title: string; readonly region: string; readonly service: string };

/** A form as the row of its provider has it, which names the entry itself. */
export type StoredForm = Omit<PutCredentialForm, 'entry'>;

/** What is kept, with what of it anybody may know. */
export interface Kept {
  readonly text: string;
  /** Whom it names at the provider; undefined where nothing of it says so. */
  readonly account: { readonly id: string; readonly name: string } | undefined;
  /** Wall milliseconds; undefined where it does not say. */
  readonly expiresAtMs: number | undefined;
}

/** Which entry takes connections of a kind. */
const ENTRIES = [
  ['static_header_', 'static-header'],
  ['basic_', 'basic'],
  ['mtls_', 'mtls'],
  ['aws_sigv4_', 'aws-sigv4'],
] as const;

/** Whether the entry is of a provider without OAuth. */
export function isFormEntry(entry: unknown): boolean {
  return ENTRIES.some(([, each]) => each === entry);
}

/** The form of a provider; null of one with OAuth. */
export function formOf(provider: { readonly entry: string; readonly form: StoredForm | null }): CredentialForm | null {
  return provider.form === null ? null : ({ ...provider.form, entry: provider.entry } as CredentialForm);
}

/** Whether connections of the kind can be to the provider. */
export function isTakenBy(
  provider: { readonly entry: string; readonly form: unknown; readonly exchange: unknown },
  kind: string,
): boolean {
  if (!isKept(kind)) return provider.form === null && (kind === 'token_exchange') === (provider.exchange !== null);
  return ENTRIES.some(([prefix, entry]) => provider.entry === entry && kind.startsWith(prefix));
}

/** What has to be filled in, in its order. */
export function fieldsOf(form: CredentialForm): readonly FormField[] {
  if (form.entry === 'mtls') return CERTIFICATE_FIELDS;
  return form.entry === 'aws-sigv4' ? AWS_FIELDS : headerFields(form);
}

/**
 * What is kept: exactly the fields of the form.
 * @param nowMs - wall milliseconds
 * @throws FieldsRefused for one that is missing, unknown, or that no call could carry
 */
export function keptOf(form: CredentialForm, given: KeptFields, nowMs: number): Kept {
  const fields = fieldsOf(form);
  const unknown = Object.keys(given).find((name) => !fields.some((field) => field.name === name));
  if (unknown !== undefined) throw new FieldsRefused(`there is no field ${unknown}`);
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  for (const { name, isOptional } of fields)
    if (filled[name] === undefined && isOptional !== true) throw new FieldsRefused(`${name} is empty`);
  if (form.entry === 'mtls') return keptCertificate(filled, nowMs);
  if (form.entry === 'aws-sigv4') ensureAwsKeys(filled);
  else ensureHeaders(form, filled);
  const name = filled[form.entry === 'basic' ? 'username' : form.entry === 'aws-sigv4' ? 'access_key_id' : ''];
  const account = name === undefined ? undefined : { id: name, name };
  return { text: JSON.stringify(filled), account, expiresAtMs: undefined };
}

/** What a call carries. @param kept - of `keptOf` */
export function credentialOf(form: CredentialForm, kept: string): UpstreamCredential {
  const fields = JSON.parse(kept) as KeptFields;
  if (form.entry === 'mtls') {
    const { certificate = '', private_key: key = '' } = fields;
    return { kind: 'client-certificate', certificate, key };
  }
  if (form.entry !== 'aws-sigv4') return { kind: 'headers', values: headersOf(form, fields) };
  const { region, service } = form;
  const { access_key_id: accessKeyId = '', secret_access_key: secretAccessKey = '', session_token: token } = fields;
  const keys = { accessKeyId, secretAccessKey, ...(token === undefined ? {} : { sessionToken: token }) };
  return { kind: 'aws-sigv4', ...keys, region, service };
}

function keptCertificate(filled: KeptFields, nowMs: number): Kept {
  const { certificate, key, fingerprint, subject, expiresAtMs } = certificateOf(filled, nowMs);
  const account = { id: fingerprint, name: subject };
  return { text: JSON.stringify({ certificate, private_key: key }), account, expiresAtMs };
}
