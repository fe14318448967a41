import { z } from 'zod';
import { DisplayName, Groups } from './identity-bodies.js';
import { Name } from './policy-names.js';

const PrincipalId = z.string().min(1).max(100);
const Description = z.string().max(1_000);

/** An account of a program: nobody signs in to it, a person answers for it, a team owns it. */
export const CreateServiceAccount = z.strictObject({
  name: DisplayName,
  description: Description.default(''),
  /** The group that owns it; it is not in that group by this. */
  team: Name,
  /** The person who answers for it. */
  ownerId: PrincipalId,
  groups: Groups.default([]),
});
export type CreateServiceAccount = z.infer<typeof CreateServiceAccount>;

/** What is absent stays as it is. */
export const ChangeServiceAccount = CreateServiceAccount.partial().extend({
  description: Description.optional(),
  groups: Groups.optional(),
});
export type ChangeServiceAccount = z.infer<typeof ChangeServiceAccount>;

/** A secret of a service account; without days it has no end of its own. */
export const IssueSecret = z.strictObject({
  name: DisplayName,
  expiresInDays: z.int().min(1).max(3_650).optional(),
});
export type IssueSecret = z.infer<typeof IssueSecret>;

/** Members of a JWK that are nobody's to send (RFC 7518 sections 6.2.2, 6.3.2, 6.4). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const Member = z.string().min(1).max(2_048);

const PublicJwk = z
  .looseObject({ kty: z.enum(['EC', 'RSA', 'OKP']), kid: Member.optional(), alg: Member.optional() })
  .refine(
    (jwk) => !PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member)),
    'is a private key: send the public one',
  )
  .refine((jwk) => JSON.stringify(jwk).length <= 8_192, 'is too long');

/** The public keys of a service account (RFC 7517), or where they are had. */
export const SetKeys = z.union([
  z.strictObject({ jwks: z.strictObject({ keys: z.array(PublicJwk).min(1).max(10) }) }),
  z.strictObject({ jwksUri: z.url({ protocol: /^https?$/ }).max(2_048) }),
]);
export type SetKeys = z.infer<typeof SetKeys>;
