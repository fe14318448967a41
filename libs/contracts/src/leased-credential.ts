import { z } from 'zod';

/** Names with their values. */
const Values = z.record(z.string(), z.string());

/** What a call carries upwards, by how it carries it. */
export const UpstreamCredential = z.discriminatedUnion('kind', [
  /** Headers that are the same with every request. */
  z.object({ kind: z.literal('headers'), values: Values }),
  /** What our side of a TLS connection proves itself with: PEM, the certificate first and what issued it behind. */
  z.object({ kind: z.literal('client-certificate'), certificate: z.string().min(1), key: z.string().min(1) }),
  /** What each request is signed with (AWS Signature Version 4); the token belongs to temporary keys. */
  z.object({
    kind: z.literal('aws-sigv4'),
    accessKeyId: z.string().min(1),
    secretAccessKey: z.string().min(1),
    sessionToken: z.string().min(1).optional(),
    region: z.string().min(1),
    service: z.string().min(1),
  }),
]);
export type UpstreamCredential = z.infer<typeof UpstreamCredential>;

export type ClientCertificate = Extract<UpstreamCredential, { kind: 'client-certificate' }>;

/** What a lease seals: what a call carries, or the variables of a program's environment. */
export const LeasedCredential = z.discriminatedUnion('kind', [
  ...UpstreamCredential.options,
  z.object({ kind: z.literal('environment'), values: Values }),
]);
export type LeasedCredential = z.infer<typeof LeasedCredential>;
