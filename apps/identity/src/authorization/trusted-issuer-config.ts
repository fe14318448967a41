import { TRUSTED_ALGORITHMS } from '@warder/contracts';
import { z } from 'zod';

/** The company's own authorization server, and what a token of its must be to be taken. */
export const TrustedIssuerConfig = z.strictObject({
  /** As `iss` of its tokens has it, to the byte. */
  issuer: z.url({ protocol: /^https?$/ }).max(512),
  /** Where its keys are; where its metadata say, unless given. */
  jwksUri: z.url({ protocol: /^https?$/ }).optional(),
  /** An address of one's own network, or without TLS, for what stands on the issuer's own host. */
  allowPrivateAddress: z.boolean().default(false),
  /** Authorities trusted for it in place of the system's, PEM. */
  caFile: z.string().min(1).optional(),
  /** What `typ` of a token may say; the empty text stands for none. */
  types: z.array(z.string().max(40)).min(1).max(8).default(['at+jwt']),
  algorithms: z
    .array(z.enum(TRUSTED_ALGORITHMS))
    .min(1)
    .default([...TRUSTED_ALGORITHMS]),
  /** What `aud` must name, by virtual server, where it is not the server's URL. */
  audiences: z.record(z.string().max(100), z.string().min(1).max(512)).default({}),
  /** What the token's scope must name. */
  scope: z.string().min(1).max(200).optional(),
  /** Whose subjects its subjects are: the id of a sign-in provider, or `scim` for the external ids of SCIM. */
  subjectsOf: z.string().min(1).max(100),
  /** Minutes between two looks at its keys. */
  refreshMinutes: z.int().min(1).max(1_440).default(5),
});
export type TrustedIssuerConfig = z.infer<typeof TrustedIssuerConfig>;
