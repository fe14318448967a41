import { type KeyObject, sign, verify } from 'node:crypto';

export const SIGNATURE_HEADER = 'warder-signature';

/** Ed25519 keys by which an owner signs its state and nodes check it. */
export interface Signing {
  /** This service's private key; absent: nothing is signed. */
  sign?: KeyObject;
  /** The owner's public key by topic name; a topic that is absent here is not checked. */
  verify?: Readonly<Record<string, KeyObject>>;
}

/** The signature of one message. The key's length is in it, so that no byte can move from the key to the value. */
export function signMessage(privateKey: KeyObject, topicName: string, key: string, value: Buffer): Buffer {
  return sign(null, signedBytes(topicName, key, value), privateKey);
}

/** Whether the owner of the topic signed exactly this message; true where no key is known for the topic. */
export function isAuthentic(
  signing: Signing | undefined,
  message: { topicName: string; key: string | null; value: Buffer; signature: Buffer | undefined },
): boolean {
  const publicKey = signing?.verify?.[message.topicName];
  if (publicKey === undefined) return true;
  const { topicName, key, value, signature } = message;
  if (signature === undefined || key === null) return false;
  return verify(null, signedBytes(topicName, key, value), publicKey, signature);
}

function signedBytes(topicName: string, key: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${topicName}|${Buffer.byteLength(key)}|${key}|`), value]);
}
