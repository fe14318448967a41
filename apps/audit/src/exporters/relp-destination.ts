import { connectTls } from './client-tls.js';
import type { Destination, DestinationState, ExportRecord, RefusedRecord } from './destination.js';
import { RelpSession } from './relp-session.js';
import type { RelpSettings } from './relp-settings.js';
import { type SyslogText, syslogTexts } from './syslog-text.js';

/** How often a receiver must refuse one record before it counts as refused for good. */
const REFUSALS_MAX = 3;

/**
 * RFC 5424 messages over RELP on mutual TLS. Each message is acknowledged by the receiver, so a lost connection costs
 * nothing but the messages whose answer was on its way: those come twice.
 */
export class RelpDestination implements Destination {
  private session: RelpSession | undefined;
  private status: DestinationState['status'] = 'idle';
  /** Records of a batch that is being tried which the receiver has taken already. */
  private readonly taken = new WeakSet<ExportRecord>();
  private readonly refusals = new WeakMap<ExportRecord, number>();

  constructor(private readonly settings: RelpSettings) {}

  async send(batch: readonly ExportRecord[], signal: AbortSignal): Promise<readonly RefusedRecord[]> {
    const { texts, refused } = syslogTexts(batch, this.settings);
    try {
      const session = await this.opened(signal);
      const giveUp = (): void => session.end(new Error('the receiver does not acknowledge what is sent'));
      signal.addEventListener('abort', giveUp);
      try {
        await this.sendAll(session, texts);
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
      const refusedThere = this.refusedOf(texts);
      this.status = 'well';
      return [...refused, ...refusedThere];
    } catch (error) {
      this.status = 'failing';
      throw error;
    }
  }

  state(): DestinationState {
    return { status: this.status };
  }

  async close(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    if (session === undefined) return;
    const limit = setTimeout(
      () => session.end(new Error('the receiver does not close')),
      this.settings.connectTimeoutMs,
    );
    await session.close();
    clearTimeout(limit);
  }

  private async opened(signal: AbortSignal): Promise<RelpSession> {
    if (this.session?.isOpen === true) return this.session;
    const session = new RelpSession(await connectTls(this.settings, signal));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.settings.connectTimeoutMs)]);
    const giveUp = (): void => session.end(new Error('the receiver does not open a session'));
    if (limit.aborted) giveUp();
    limit.addEventListener('abort', giveUp);
    try {
      await session.open();
    } catch (error) {
      session.end(error as Error);
      throw error;
    } finally {
      limit.removeEventListener('abort', giveUp);
    }
    this.session = session;
    return session;
  }

  /** Keeps up to `windowMax` messages under way; rejects at the first that gets no answer. */
  private async sendAll(session: RelpSession, texts: readonly SyslogText[]): Promise<void> {
    const left = texts.filter(({ record }) => !this.taken.has(record)).values();
    const lane = async (): Promise<void> => {
      for (const { record, message } of left) {
        const { code } = await session.syslog(message);
        if (code === 200) this.taken.add(record);
        else this.refusals.set(record, (this.refusals.get(record) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.settings.windowMax, texts.length) }, lane));
  }

  /** @throws Error while a refusal may still be the receiver's state and not the record's fault */
  private refusedOf(texts: readonly SyslogText[]): readonly RefusedRecord[] {
    const refused = texts.map(({ record }) => record).filter((record) => !this.taken.has(record));
    if (refused.length === 0) return [];
    // A receiver whose disk is full refuses everything: then nothing is wrong with the records.
    const isAboutAll = texts.length > 1 && refused.length === texts.length;
    const isFinal = refused.every((record) => (this.refusals.get(record) ?? 0) >= REFUSALS_MAX);
    if (isAboutAll || !isFinal) throw new Error(`the receiver refuses ${refused.length} of ${texts.length} records`);
    return refused.map((record) => ({ record, reason: `the receiver refused it ${REFUSALS_MAX} times` }));
  }
}
