import { FakeReceiver, type FakeAnswer, fakeJson, type ReceivedRequest } from './fake-receiver.js';
import { isSignedPost } from './signed-post.js';

/** A notice about an approval, as its receiver reads it. */
export interface FakeNotice {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Members that a notice about an approval may have. */
const MEMBERS: ReadonlySet<string> = new Set([
  'approvalId',
  'status',
  'url',
  'principal',
  'agent',
  'actors',
  'virtualServer',
  'upstream',
  'tool',
  'argumentsDigest',
  'arguments',
  'heldBy',
  'approvers',
  'askedAt',
  'expiresAt',
  'decided',
  'callId',
]);

/**
 * A strict receiver of notices about approvals: it knows one secret, checks signature and time before it looks at the
 * body, takes no member that it does not know, and keeps a message once however often it comes.
 */
export class FakeNoticeReceiver {
  /** By `webhook-id`, in the order of their first arrival. */
  readonly notices = new Map<string, FakeNotice>();
  receiver!: FakeReceiver;

  private constructor(
    public secret: string,
    private readonly nowMs: () => number,
  ) {}

  static async start(secret: string, nowMs: () => number = Date.now): Promise<FakeNoticeReceiver> {
    const fake = new FakeNoticeReceiver(secret, nowMs);
    fake.receiver = await FakeReceiver.start((request) => fake.answer(request));
    return fake;
  }

  /** Of one question, in the order of arrival. */
  about(approvalId: string): FakeNotice[] {
    return [...this.notices.values()].filter(({ data }) => data['approvalId'] === approvalId);
  }

  private answer(request: ReceivedRequest): FakeAnswer {
    if (!isSignedPost(request, this.secret, this.nowMs())) return { status: 401, body: '' };
    const notice = JSON.parse(request.body) as FakeNotice;
    const { type, timestamp, data } = notice;
    const isKnown = /^warder\.approval\.(?:requested|decided|test)$/.test(type);
    if (!isKnown || new Date(timestamp).toISOString() !== timestamp) return { status: 400, body: '' };
    if (Object.keys(data).some((member) => !MEMBERS.has(member))) return { status: 400, body: '' };
    const id = request.headers['webhook-id']!;
    if (!this.notices.has(id)) this.notices.set(id, notice);
    return fakeJson(202, {});
  }
}
