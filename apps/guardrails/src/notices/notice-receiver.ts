import { readFileSync } from 'node:fs';
import { HttpPoster, PostFailed, readSecretFile, webhookHeaders, webhookKey } from '@warder/egress';
import type { NoticeRow } from './notice-rows.js';
import type { ApprovalWebhook } from './webhook-settings.js';

const ANSWER_BYTES_MAX = 65_536;
/** A receiver that asks for patience is given it, up to an hour. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** What became of a post. `isFinal`: posting it again is of no use. */
export type Posted =
  | { readonly isTaken: true }
  | { readonly isTaken: false; readonly reason: string; readonly isFinal: boolean; readonly afterMs: number };

/** One receiver's end: signs with what its secret files hold now, posts, and says whether it was taken. */
export class NoticeReceiver {
  private readonly poster: HttpPoster;

  /** @throws Error for a secret or an authority that cannot be read; neither path nor content is in it */
  constructor(
    private readonly settings: ApprovalWebhook,
    private readonly wallMs: () => number,
  ) {
    const { url, caFile, allowPrivateAddress, connectionsMax, connectTimeoutMs, requestTimeoutMs } = settings;
    this.keys();
    this.poster = new HttpPoster(
      {
        origin: new URL(url),
        allowPrivateAddress,
        ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
        connectionsMax,
        connectTimeoutMs,
        requestTimeoutMs,
        answerBytesMax: ANSWER_BYTES_MAX,
      },
      wallMs,
    );
  }

  /** Any 2xx takes it. No redirect is followed, for the receiver was named and another was not. */
  async post({ message_id: id, body }: NoticeRow, signal: AbortSignal): Promise<Posted> {
    try {
      const headers = { 'content-type': 'application/json', ...webhookHeaders(id, this.wallMs(), body, this.keys()) };
      const { pathname } = new URL(this.settings.url);
      const { status, retryAfterMs = 0 } = await this.poster.post({ path: pathname, headers, body }, signal);
      if (status >= 200 && status < 300) return { isTaken: true };
      const afterMs = Math.min(retryAfterMs, RETRY_AFTER_MAX_MS);
      // Gone: nobody listens there any more, says the receiver itself.
      return { isTaken: false, reason: `the receiver answered ${status}`, isFinal: status === 410, afterMs };
    } catch (error) {
      return { isTaken: false, reason: reasonOf(error), isFinal: false, afterMs: 0 };
    }
  }

  async close(): Promise<void> {
    await this.poster.close();
  }

  private keys(): Buffer[] {
    return this.settings.secretFiles.map((path) => webhookKey(readSecretFile(path, 'secretFiles')));
  }
}

/** Neither a header nor a body stands in these. */
function reasonOf(error: unknown): string {
  if (error instanceof PostFailed) return error.message.slice(0, 300);
  return error instanceof Error ? error.message.slice(0, 300) : 'the post failed';
}
