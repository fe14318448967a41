import { type KeyObject, sign } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import type { SigningKeys } from './signing-keys.js';

/** For the authorization server there is one key, which is always the one that signs now. */
export class SigningNow extends ExternalSigningKey {
  constructor(private readonly keys: SigningKeys) {
    super();
  }

  override get kid(): string {
    return this.keys.signer().id;
  }

  override get alg(): string {
    return 'ES256';
  }

  override keyObject(): KeyObject {
    return this.keys.signer().publicKey;
  }

  /** Signs with the key that the header names: another one may sign by now. */
  override async sign(data: Uint8Array): Promise<Buffer> {
    const [head = ''] = Buffer.from(data).toString('latin1').split('.', 1);
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as { kid?: string };
    const key = this.keys.find(kid) ?? this.keys.signer();
    return sign('sha256', data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  }
}
