import type { Replica } from '@warder/bus';
import {
  ADMIN_PATH,
  grantStateTopic,
  type Pepper,
  principalStateTopic,
  signingKeyStateTopic,
  tokenStateTopic,
  tokenUsedTopic,
} from '@warder/contracts';
import type { Host } from '@warder/service-host';
import { AccessTokens, Callers, PrincipalDirectory, TokenUses } from '@warder/tokens';
import { REFUSAL_WINDOW_MS, RefusedRequests } from './refused-requests.js';

const SWEEP_EVERY_MS = 5_000;
const TELL_EVERY_MS = 10_000;

/** What this process knows of principals and tokens: one directory, however many services share the process. */
export class AdminAccess {
  readonly directory: PrincipalDirectory;
  /** The same, and the clients that people sign in with to administer. */
  readonly callers: Callers;
  /** What the doors of the process refused; a service that has a database says where its records go. */
  readonly refused = new RefusedRequests();
  private readonly replicas = new Map<string, Replica>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: NodeJS.Timeout | undefined;
  private telling: NodeJS.Timeout | undefined;
  private isStopped = false;
  /** Of tokens at these doors: of an administrator's there may be no other. */
  readonly uses: TokenUses;

  /** @param pepper - the same as identity's, or no bearer is found */
  constructor(
    pepper: Pepper,
    private readonly host: Pick<Host, 'bus' | 'clock' | 'log' | 'door'>,
  ) {
    const { current, keys } = pepper;
    const { bus } = host;
    this.uses = new TokenUses(bus.node, (used) => bus.publish(tokenUsedTopic, bus.node, used));
    this.directory = new PrincipalDirectory({ [current]: keys[current]!, ...keys });
    bus.onRefused(({ topic, reason, writer }) => this.refused.note(refusedMessage(topic, reason, writer)));
    this.callers = new Callers(this.directory, new AccessTokens(() => this.origin()));
  }

  /** Begins to read; does not wait for the bus, which may be away. */
  start(): void {
    const { bus, clock, log } = this.host;
    this.telling = setInterval(() => void this.tellUses(), TELL_EVERY_MS).unref();
    this.timer = setInterval(() => this.callers.sweep(clock.wallMs()), SWEEP_EVERY_MS);
    this.timer.unref();
    this.flushing = setInterval(() => void this.flush(), REFUSAL_WINDOW_MS).unref();
    const reading = {
      principals: bus.replica(principalStateTopic, (id, state) => this.callers.applyPrincipal(id, state)),
      tokens: bus.replica(tokenStateTopic, (digest, state) => this.callers.applyToken(digest, state)),
      keys: bus.replica(signingKeyStateTopic, (id, state) => this.callers.applyKey(id, state)),
      grants: bus.replica(grantStateTopic, (id, state) => this.callers.applyGrant(id, state)),
    };
    for (const [name, replica] of Object.entries(reading)) {
      replica.then(
        (started) => (this.isStopped ? void started.stop() : void this.replicas.set(name, started)),
        (error: unknown) => log.error({ err: error }, 'principals and tokens cannot be read'),
      );
    }
  }

  private async flush(): Promise<void> {
    const count = await this.refused.flush();
    if (count > 0) this.host.log.warn({ count }, 'refused admin requests could not be recorded yet');
  }

  /** Nobody waits for it: until the bus takes them they are gathered. */
  private async tellUses(): Promise<void> {
    const { clock, log } = this.host;
    await this.uses
      .tell(clock.wallMs())
      .catch((error: unknown) => log.debug({ err: error }, 'uses of tokens wait for the bus'));
  }

  /** The URL of the admin doors: the audience of access tokens for them (RFC 8707), and never of any other. */
  resource(): string {
    return `${this.origin()}${ADMIN_PATH}`;
  }

  private origin(): string {
    return this.host.door.publicUrl().origin;
  }

  /** Whether every principal and token that identity had published was read: before that nobody is let in. */
  isReady(): boolean {
    return this.hasRead('principals') && this.hasRead('tokens');
  }

  /** Whether an access token can be judged, too: without the ends of grants one that was ended would pass. */
  isReadyForClients(): boolean {
    return this.isReady() && this.hasRead('keys') && this.hasRead('grants');
  }

  private hasRead(name: string): boolean {
    return this.replicas.get(name)?.isReady() === true;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    clearInterval(this.flushing);
    clearInterval(this.telling);
    await this.flush();
    // On the bus of one process whoever takes them down may have stopped already: a stop does not wait for a sample.
    void this.tellUses();
    await Promise.all([...this.replicas.values()].map((replica) => replica.stop()));
  }
}

/** A message on the bus that was not taken is told like a request at the door: counted, one record for many alike. */
function refusedMessage(
  topic: string,
  reason: string,
  writer: string | undefined,
): Parameters<RefusedRequests['note']>[0] {
  const detail = writer === undefined ? reason : `${reason}, with the certificate of ${writer}`;
  return {
    kind: 'authentication',
    by: { principal: null, token: null, address: topic },
    arguments: { method: 'PUBLISH', route: topic },
    refusal: { code: 'WDR_MESSAGE_REFUSED', detail, isForbidden: true },
  };
}
