import { type KeyObject, sign, verify } from 'node:crypto';
import { isSignedTopic, REGISTRAR, type Topic } from '@warder/contracts';
import { type Certificate, readCertificate } from '@warder/leases';

export const SIGNATURE_HEADER = 'warder-signature';
export const CERTIFICATE_HEADER = 'warder-certificate';

/** Milliseconds that the registrar's clock may be ahead of ours. */
const CLOCK_SKEW_MAX_MS = 60_000;
/** Certificates that were read and are remembered; past it the oldest is read again when it comes. */
const CERTIFICATES_MAX = 1_000;
const CERTIFICATE_LENGTH_MAX = 2_048;

/** By what this process signs. */
export interface Signer {
  /** Ed25519, private. */
  readonly key: KeyObject;
  /** Of the key; the registrar, whom every reader knows, has none. */
  readonly certificate?: string;
}

/** How a bus signs what it writes and knows who wrote what it reads. */
export interface Signing {
  /** Undefined while this process is not enrolled: it can then write nothing that is signed. */
  signer(): Signer | undefined;
  /** Ed25519, public: whose certificates, and whose own messages, are believed. */
  readonly registrars: readonly KeyObject[];
  /** Wall milliseconds before which no certificate of the node may have been issued; `Infinity` of a revoked one. */
  validFromMs(node: string): number;
  /** Resolves when revocations were read, or cannot be waited for any longer. */
  readonly known: Promise<void>;
}

/** Why a message is not taken for its writer's. */
export type MessageRefusal =
  | 'unsigned'
  | 'certificate-wrong'
  | 'certificate-early'
  | 'certificate-expired'
  | 'key-revoked'
  | 'writer-foreign'
  | 'signature-wrong'
  | 'version-old';

/** A message as it came, with what says who wrote it. */
export interface SignedMessage {
  readonly key: string | null;
  readonly value: Buffer;
  readonly signature: Buffer | undefined;
  readonly certificate: string | undefined;
}

/** The headers of a message that this process signs. */
export function signedHeaders(
  { key: privateKey, certificate }: Signer,
  topicName: string,
  key: string,
  value: Buffer,
): Record<string, Buffer | string> {
  const signature = sign(null, signedBytes(topicName, key, value), privateKey);
  return { [SIGNATURE_HEADER]: signature, ...(certificate !== undefined && { [CERTIFICATE_HEADER]: certificate }) };
}

/** Says of each message whether one of its topic's writers signed exactly it. */
export class MessageGuard {
  private readonly certificates = new Map<string, Certificate>();

  constructor(
    private readonly signing: Signing,
    private readonly wallMs: () => number,
  ) {}

  /** Why not, and the node whose certificate it came with; undefined for a message that is its writer's. */
  refusalOf(
    topic: Topic<unknown>,
    message: SignedMessage,
  ): { readonly reason: MessageRefusal; readonly writer?: string } | undefined {
    if (!isSignedTopic(topic)) return undefined;
    const { key, value, signature } = message;
    if (signature === undefined || key === null) return { reason: 'unsigned' };
    const bytes = signedBytes(topic.name, key, value);
    if (message.certificate === undefined) return this.refusalOfRegistrar(topic, bytes, signature);
    const certificate = this.read(message.certificate);
    if (certificate === undefined) return { reason: 'certificate-wrong' };
    const { node: writer, service } = certificate;
    const reason = this.standingOf(certificate);
    if (reason !== undefined) return { reason, writer };
    const isForeign = !topic.writers.includes(service) || (topic.isKeyedByWriter === true && key !== writer);
    if (isForeign) return { reason: 'writer-foreign', writer };
    return verify(null, bytes, certificate.key, signature) ? undefined : { reason: 'signature-wrong', writer };
  }

  private refusalOfRegistrar(
    topic: Topic<unknown>,
    bytes: Buffer,
    signature: Buffer,
  ): { readonly reason: MessageRefusal } | undefined {
    if (!this.signing.registrars.some((registrar) => verify(null, bytes, registrar, signature)))
      return { reason: 'signature-wrong' };
    return topic.writers.includes(REGISTRAR) ? undefined : { reason: 'writer-foreign' };
  }

  private standingOf({ node, issuedAtMs, expiresAtMs }: Certificate): MessageRefusal | undefined {
    const nowMs = this.wallMs();
    if (issuedAtMs < this.signing.validFromMs(node)) return 'key-revoked';
    if (issuedAtMs > nowMs + CLOCK_SKEW_MAX_MS) return 'certificate-early';
    return expiresAtMs <= nowMs ? 'certificate-expired' : undefined;
  }

  private read(text: string): Certificate | undefined {
    const known = this.certificates.get(text);
    if (known !== undefined) return known;
    if (text.length > CERTIFICATE_LENGTH_MAX) return undefined;
    const certificate = readCertificate(text, this.signing.registrars);
    if (certificate === undefined) return undefined;
    if (this.certificates.size >= CERTIFICATES_MAX) this.certificates.delete(this.certificates.keys().next().value!);
    this.certificates.set(text, certificate);
    return certificate;
  }
}

/** The key's length is in it, so that no byte can move from the key to the value. */
function signedBytes(topicName: string, key: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${topicName}|${Buffer.byteLength(key)}|${key}|`), value]);
}
