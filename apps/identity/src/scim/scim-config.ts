import { z } from 'zod';

export const TOKENS_MAX = 20;

/** A secret of 32 characters or more, or, for a file that others may read, `sha256:` and the hex of its digest. */
const ScimToken = z
  .string()
  .min(32, 'a token of SCIM has 32 characters or more')
  .max(1_000)
  .regex(/^(?!sha256:)|^sha256:[0-9a-f]{64}$/, 'sha256: is followed by 64 hex digits in lower case')
  .regex(/^[\x21-\x7e]+$/, 'a token has printable ASCII characters and no space');

/** Who may say over SCIM who is here, and how much. Absent, the path answers 404. */
export const ScimConfig = z.strictObject({
  /** By the client's name, which stands in the records of what it changed; several at a time, for rotation. */
  tokens: z
    .record(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'a name is 1-40 of letters, digits, ".", "_", "-"'),
      ScimToken,
    )
    .refine((tokens) => Object.keys(tokens).length > 0, 'name one token at least')
    .refine((tokens) => Object.keys(tokens).length <= TOKENS_MAX, `name ${TOKENS_MAX} tokens at most`),
  /** Of one token. */
  requestsPerMinute: z.int().min(1).default(6_000),
  /** Of these, at once. */
  burst: z.int().min(1).default(600),
  bodyBytesMax: z.int().min(65_536).default(2_097_152),
  /** Resources in one page. */
  pageMax: z.int().min(1).max(1_000).default(200),
  /** Resources that a filter without an index may be compared with. */
  scannedMax: z.int().min(1).default(10_000),
  usersMax: z.int().min(1).default(100_000),
  groupsMax: z.int().min(1).default(10_000),
  /** Members of one group. */
  membersMax: z.int().min(1).default(20_000),
});
export type ScimConfig = z.infer<typeof ScimConfig>;
