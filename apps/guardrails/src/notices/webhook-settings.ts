import { Name } from '@warder/contracts';
import { isBareUrl, isSafeUrl } from '@warder/egress';
import { z } from 'zod';

/** What approvers are told: that they are asked, and what became of it. */
export const NoticeEvent = z.enum(['requested', 'decided']);
export type NoticeEvent = z.infer<typeof NoticeEvent>;

/** One receiver of notices about approvals, signed in the form of Standard Webhooks. */
export const ApprovalWebhook = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).refine(isBareUrl, 'has no user, password, query or fragment'),
    /**
     * Mounted files of `whsec_` and 24 to 64 bytes in base64, read anew for each post. With two, every post has both
     * signatures: while a secret is being changed the receiver may hold either.
     */
    secretFiles: z.array(z.string().min(1)).min(1).max(2),
    events: z.array(NoticeEvent).min(1).default(['requested', 'decided']),
    /** Only about what one of these groups decides; about everything without it. */
    groups: z.array(Name).min(1).max(50).optional(),
    /** Sends the arguments too, as the page shows them: without secrets. */
    arguments: z.boolean().default(false),
    /** PEM: the authorities that may have signed the receiver's certificate, in place of the system's. */
    caFile: z.string().min(1).optional(),
    allowPrivateAddress: z.boolean().default(false),
    /** Plain http to another machine: what is asked can then be read on the way. */
    allowPlainHttp: z.boolean().default(false),
    connectTimeoutMs: z.int().min(100).max(60_000).default(5_000),
    /** Milliseconds from a post to the last byte of its answer. */
    requestTimeoutMs: z.int().min(100).max(60_000).default(10_000),
    connectionsMax: z.int().min(1).max(16).default(2),
    /** Posts of one notice, the first among them; then it is a dead letter. */
    attemptsMax: z.int().min(1).max(50).default(12),
    /** Milliseconds before the second post; each time twice as many, at most `lastRetryMs`. */
    firstRetryMs: z.int().min(10).max(3_600_000).default(2_000),
    lastRetryMs: z.int().min(10).max(3_600_000).default(300_000),
    /** Notices that wait to be posted; what comes on top is dropped and counted. */
    waitingMax: z.int().min(1).max(1_000_000).default(10_000),
    /** Dead letters that are kept, the newest ones. */
    deadLettersMax: z.int().min(1).max(100_000).default(1_000),
  })
  .refine(isSafeUrl, { message: 'is https, or http to loopback, or allowPlainHttp is true', path: ['url'] });
export type ApprovalWebhook = z.infer<typeof ApprovalWebhook>;

/** Receivers by name. */
export const ApprovalWebhooks = z
  .record(Name, ApprovalWebhook)
  .refine((webhooks) => Object.keys(webhooks).length <= 20, 'at most 20 webhooks')
  .default({});
export type ApprovalWebhooks = z.infer<typeof ApprovalWebhooks>;
