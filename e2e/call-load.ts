import type { WireAgent, WireAnswer } from './wire-agent.js';

const TICK_MS = 10;

/** Calls at a steady rate, whatever becomes of them, until it is stopped. */
export class CallLoad {
  /** How often each status came; 0: the connection was lost. */
  readonly statuses = new Map<number, number>();
  /** The last text of each status that was no success. */
  readonly refusals = new Map<number, string>();
  private readonly running = new Set<Promise<void>>();
  private readonly startedAtMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private sent = 0;
  private endedAtMs = 0;

  /** @param perSecond - calls, spread over the agents in turn */
  constructor(
    private readonly agents: readonly WireAgent[],
    private readonly perSecond: number,
    private readonly tool = 'echo',
    private readonly args: Readonly<Record<string, unknown>> = {},
  ) {
    this.timer = setInterval(() => this.catchUp(), TICK_MS);
  }

  /** Sends no more and waits for what runs. */
  async stop(): Promise<this> {
    clearInterval(this.timer);
    this.endedAtMs = performance.now();
    await Promise.all(this.running);
    return this;
  }

  /** Calls sent a second, on average. */
  rate(): number {
    return Math.round((this.sent * 1_000) / ((this.endedAtMs || performance.now()) - this.startedAtMs));
  }

  get served(): number {
    return this.statuses.get(200) ?? 0;
  }

  private catchUp(): void {
    const due = ((performance.now() - this.startedAtMs) * this.perSecond) / 1_000;
    while (this.sent < due) {
      const agent = this.agents[this.sent % this.agents.length]!;
      this.sent += 1;
      const call: Promise<void> = agent.call(this.tool, this.args).then((answer) => {
        this.note(answer);
        this.running.delete(call);
      });
      this.running.add(call);
    }
  }

  private note({ status, text }: WireAnswer): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status !== 200) this.refusals.set(status, text);
  }
}
