import type { KeptFields } from '@warder/contracts';
import { FieldsRefused, type FormField } from './form-field.js';

export const AWS_FIELDS: readonly FormField[] = [
  { name: 'access_key_id', title: 'Access key ID', isSecret: false },
  { name: 'secret_access_key', title: 'Secret access key', isSecret: true },
  { name: 'session_token', title: 'Session token, of temporary keys', isSecret: true, isOptional: true },
];

/** AWS Security Token Service API reference, Credentials: 16 to 128 word characters. */
const ACCESS_KEY_ID = /^\w{16,128}$/;
const SECRET = /^[A-Za-z0-9+/=]{16,128}$/;
const SESSION_TOKEN = /^[A-Za-z0-9+/=]{16,8192}$/;

/** @throws FieldsRefused for what cannot be keys of AWS, or not a set of them */
export function ensureAwsKeys(fields: KeptFields): void {
  const { access_key_id: id = '', secret_access_key: secret = '', session_token: token } = fields;
  if (!ACCESS_KEY_ID.test(id)) throw new FieldsRefused('access_key_id is not an access key ID');
  if (!SECRET.test(secret)) throw new FieldsRefused('secret_access_key is not a secret access key');
  if (token !== undefined && !SESSION_TOKEN.test(token))
    throw new FieldsRefused('session_token is not a session token');
  // IAM user guide, "IAM identifiers": ASIA begins the temporary ones, AKIA those of a user.
  if (id.startsWith('ASIA') && token === undefined) throw new FieldsRefused('session_token belongs to temporary keys');
  if (id.startsWith('AKIA') && token !== undefined) throw new FieldsRefused('session_token is of temporary keys only');
}
