import type { BusLog, MessageRefused } from './bus.js';

/** Milliseconds for which messages that are refused alike leave one line in the log. */
const SAID_EVERY_MS = 10_000;
/** Refusals that are kept for whoever asks first to be told of them. */
const UNTOLD_MAX = 100;

/** Tells of messages that were not taken. A flood of them costs a line now and then, and each listener counts. */
export class RefusedMessages {
  private readonly listeners = new Set<(refused: MessageRefused) => void>();
  private readonly untold: MessageRefused[] = [];
  /** By topic and reason: of both there are few. */
  private readonly said = new Map<string, { atMs: number; count: number }>();

  constructor(
    private readonly log: BusLog,
    private readonly monotonicMs: () => number,
  ) {}

  tell(refused: MessageRefused, at: { readonly partition: number; readonly offset: string }): void {
    this.say(refused, at);
    if (this.listeners.size === 0 && this.untold.length < UNTOLD_MAX) this.untold.push(refused);
    for (const listener of this.listeners) listener(refused);
  }

  listen(listener: (refused: MessageRefused) => void): void {
    this.listeners.add(listener);
    for (const refused of this.untold.splice(0)) listener(refused);
  }

  private say(refused: MessageRefused, at: { readonly partition: number; readonly offset: string }): void {
    const key = `${refused.topic} ${refused.reason}`;
    const said = this.said.get(key) ?? { atMs: -Infinity, count: 0 };
    said.count += 1;
    this.said.set(key, said);
    if (this.monotonicMs() - said.atMs < SAID_EVERY_MS) return;
    this.log.error({ ...refused, ...at, count: said.count }, 'messages were not taken for their writer’s');
    said.atMs = this.monotonicMs();
    said.count = 0;
  }
}
