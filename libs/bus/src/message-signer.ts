import { isSignedTopic, type Topic } from '@warder/contracts';
import { pause } from './back-off.js';
import { BusError } from './bus.js';
import { signedHeaders, type Signer, type Signing } from './message-guard.js';

/** Between two looks at whether this process is enrolled by now. */
const LOOK_EVERY_MS = 50;

/** Signs what a bus writes; what comes before this process is enrolled waits for it, up to its deadline. */
export class MessageSigner {
  private enrolling: Promise<Signer | undefined> | undefined;

  constructor(
    private readonly signing: Signing | undefined,
    private readonly deadlineMs: number,
    private readonly closing: AbortSignal,
  ) {}

  /**
   * Makes the headers of the topic's messages.
   * @returns what makes them; undefined for a topic, or on a bus, that signs nothing
   * @throws BusError `deadline` while this process is not enrolled
   */
  async of(
    topic: Topic<unknown>,
  ): Promise<((key: string, value: Buffer) => Record<string, Buffer | string>) | undefined> {
    const { signing } = this;
    if (signing === undefined || !isSignedTopic(topic)) return undefined;
    // One wait for all that would be signed, which may be much.
    const signer = signing.signer() ?? (await (this.enrolling ??= this.untilEnrolled(signing)));
    if (signer === undefined)
      throw new BusError('deadline', `${topic.name}: this process is not enrolled, so it can sign nothing`);
    return (key, value) => signedHeaders(signer, topic.name, key, value);
  }

  private async untilEnrolled(signing: Signing): Promise<Signer | undefined> {
    let signer: Signer | undefined;
    for (let waitedMs = 0; waitedMs < this.deadlineMs && !this.closing.aborted; waitedMs += LOOK_EVERY_MS) {
      await pause(LOOK_EVERY_MS, this.closing);
      signer = signing.signer();
      if (signer !== undefined) break;
    }
    this.enrolling = undefined;
    return signer;
  }
}
