import type { ToolDefinition } from '@warder/contracts';
import type { Logger } from '@warder/telemetry';
import { ListChanges } from './list-changes.js';
import { callText, requestText } from './request-text.js';
import { StdioConnection } from './stdio-connection.js';
import type { StdioEntry } from './stdio-entry.js';
import { collectTools } from './tool-pages.js';
import { UpstreamFailure } from './upstream-failure.js';
import type { CallSignal, Upstream, UpstreamAnswer, UpstreamBounds, UpstreamCall } from './upstream.js';
import { withinDeadline } from './within-deadline.js';

/** What a stdio upstream is made of. */
export interface StdioUpstreamParts {
  readonly name: string;
  readonly entry: StdioEntry;
  readonly bounds: UpstreamBounds;
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

// A child that lived this long before it left is started again at once.
const STEADY_MS = 30_000;

/**
 * An MCP server that is a child of this node: started by the first call, one at a time, started again after it left:
 * at once the first time, then after a pause that doubles while it keeps leaving.
 */
export class StdioUpstream implements Upstream {
  readonly name: string;
  private connection: StdioConnection | undefined;
  private opening: Promise<StdioConnection> | undefined;
  private readonly changes = new ListChanges();
  private readonly running = new Set<StdioConnection>();
  private isLegacy = false;
  private delayMs = 0;
  private notBeforeMs = 0;
  private startedMs = 0;
  private isClosed = false;

  constructor(private readonly parts: StdioUpstreamParts) {
    this.name = parts.name;
  }

  async call(call: UpstreamCall): Promise<UpstreamAnswer> {
    const open = this.connection;
    if (open?.isOpen === true) return this.callOn(open, call, call.timeoutMs);
    const startMs = this.parts.nowMs();
    const connection = await withinDeadline(this.open(), call.timeoutMs, call.signal);
    return this.callOn(connection, call, Math.max(1, call.timeoutMs - (this.parts.nowMs() - startMs)));
  }

  async discover(signal?: CallSignal): Promise<ToolDefinition[]> {
    const timeoutMs = this.parts.bounds.handshakeTimeoutMs;
    const connection = await withinDeadline(this.open(), timeoutMs * 2, signal);
    const ask = (params: Readonly<Record<string, unknown>>) =>
      connection.request((id) => requestText(id, 'tools/list', params, connection.isModern), { timeoutMs, signal });
    const { tools, ttlMs } = await collectTools(ask, this.parts.bounds);
    this.changes.expireIn(ttlMs);
    return tools;
  }

  onListChanged(listener: () => void): () => void {
    return this.changes.listen(listener);
  }

  /** A child holds its credential from its start to its end: whoever has another for it starts another child. */
  /** A child has its credential in its environment, and is replaced with it. */
  endCredential(): void {}

  forgetCredentials(): void {}

  async close(): Promise<void> {
    this.isClosed = true;
    this.changes.close();
    await Promise.all([...this.running].map((connection) => connection.stop()));
  }

  private callOn(connection: StdioConnection, call: UpstreamCall, timeoutMs: number): Promise<UpstreamAnswer> {
    const wait = { timeoutMs, signal: call.signal, onInterim: call.onInterim };
    return connection.request((id) => callText(id, call, connection.isModern), wait);
  }

  private open(): Promise<StdioConnection> {
    if (this.isClosed) throw new UpstreamFailure('cancelled', 'the upstream was removed', false);
    if (this.connection?.isOpen === true) return Promise.resolve(this.connection);
    if (this.opening !== undefined) return this.opening;
    if (this.parts.nowMs() < this.notBeforeMs) {
      throw new UpstreamFailure('unavailable', 'the child left just now and is not started yet', false);
    }
    this.opening = this.start().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async start(): Promise<StdioConnection> {
    let connection = this.spawn();
    try {
      if (this.isLegacy || !(await connection.probe())) {
        // Some servers leave over a question that they do not know; a fresh one is greeted in the old way.
        if (!connection.isOpen) connection = this.spawn();
        await connection.initialize();
        this.isLegacy = true;
      } else this.subscribe(connection);
    } catch (error) {
      await connection.stop();
      this.postpone();
      throw error;
    }
    if (this.isClosed) {
      await connection.stop();
      throw new UpstreamFailure('cancelled', 'the upstream was removed', false);
    }
    this.connection = connection;
    this.startedMs = this.parts.nowMs();
    return connection;
  }

  private spawn(): StdioConnection {
    const { entry, bounds, log, name } = this.parts;
    const connection: StdioConnection = new StdioConnection(
      entry,
      bounds,
      {
        onListChanged: () => this.changes.tell(),
        onExit: (reason) => {
          this.running.delete(connection);
          if (this.connection !== connection) return;
          this.connection = undefined;
          if (this.parts.nowMs() - this.startedMs > STEADY_MS) this.delayMs = 0;
          this.postpone();
          if (!this.isClosed) log.warn({ upstream: name, reason }, 'a stdio upstream left');
        },
      },
      log,
    );
    this.running.add(connection);
    return connection;
  }

  private postpone(): void {
    const { restartDelayMs, restartDelayMaxMs } = this.parts.bounds;
    this.notBeforeMs = this.parts.nowMs() + this.delayMs;
    this.delayMs = Math.min(restartDelayMaxMs, Math.max(restartDelayMs, this.delayMs * 2));
  }

  /** The subscription is a request that stays open; it ends with the child. */
  private subscribe(connection: StdioConnection): void {
    const params = { notifications: { toolsListChanged: true } };
    connection.notify(requestText('changes', 'subscriptions/listen', params, true));
  }
}
