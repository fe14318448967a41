import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SamlProviderConfig } from './saml-config.js';

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const RSA_BITS_MIN = 2_048;

/** Keys as a provider's configuration names them. */
export interface SamlKeys {
  /** Of the provider, PEM; one at least. */
  readonly certificates: readonly string[];
  /** Ours, PEM; undefined where requests are not signed. */
  readonly own: { readonly key: string; readonly certificate: string } | undefined;
}

/** Reads them. When a certificate ends is not asked: its key is pinned, whatever else it says. @throws Error for what cannot be used */
export function readKeys(config: SamlProviderConfig): SamlKeys {
  const { id, certificates, certificateFile, signingKeyFile, signingCertificateFile } = config;
  const texts = certificates.flatMap((text) =>
    text.includes('-----BEGIN')
      ? (text.match(PEM) ?? [text])
      : [`-----BEGIN CERTIFICATE-----\n${text.trim()}\n-----END CERTIFICATE-----`],
  );
  if (certificateFile !== undefined) texts.push(...(readFileSync(certificateFile, 'utf8').match(PEM) ?? []));
  const place = `signIn.providers: ${id}`;
  if (texts.length === 0) throw new Error(`${place}: no certificate says who signs its answers`);
  const pinned = texts.map((text) => certificateOf(text, place));
  if (signingKeyFile === undefined && signingCertificateFile === undefined) {
    return { certificates: pinned, own: undefined };
  }
  if (signingKeyFile === undefined || signingCertificateFile === undefined) {
    throw new Error(`${place}: signingKeyFile and signingCertificateFile belong together`);
  }
  const key = createPrivateKey(readFileSync(signingKeyFile));
  const certificate = certificateOf(readFileSync(signingCertificateFile, 'utf8'), place);
  if (!new X509Certificate(certificate).checkPrivateKey(key)) {
    throw new Error(`${place}: signingCertificateFile is not of the key in signingKeyFile`);
  }
  return { certificates: pinned, own: { key: key.export({ format: 'pem', type: 'pkcs8' }).toString(), certificate } };
}

function certificateOf(text: string, place: string): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(text);
  } catch {
    throw new Error(`${place}: what should be a certificate is none`);
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  if (type !== 'rsa' || (details?.modulusLength ?? 0) < RSA_BITS_MIN) {
    throw new Error(`${place}: the key of a certificate is not RSA of ${RSA_BITS_MIN} bits or more`);
  }
  return certificate.toString();
}
