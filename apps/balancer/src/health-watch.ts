import { get } from 'node:http';
import type { BackendNode } from './node-ring.js';

/** Asks each node's `/readyz` over and over. */
export class HealthWatch {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly nodes: readonly BackendNode[],
    private readonly bounds: { healthIntervalMs: number; healthTimeoutMs: number },
    private readonly onChange: (node: BackendNode) => void,
  ) {}

  start(): void {
    const round = () => {
      void Promise.all(this.nodes.map((node) => this.ask(node))).then(() => {
        if (this.timer !== undefined) this.timer = setTimeout(round, this.bounds.healthIntervalMs);
      });
    };
    this.timer = setTimeout(round, 0);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async ask(node: BackendNode): Promise<void> {
    const isReady = await answersOk(new URL('/readyz', node.url), this.bounds.healthTimeoutMs);
    if (node.isReady === isReady) return;
    node.isReady = isReady;
    this.onChange(node);
  }
}

async function answersOk(url: URL, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('error', () => resolve(false));
  });
}
