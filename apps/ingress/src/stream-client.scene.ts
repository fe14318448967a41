import { request as httpRequest } from 'node:http';
import { SseDecoder, type SseEvent } from '@warder/mcp-wire';
import type { IngressScene } from './ingress.scene.js';
import type { WireClient } from './wire-client.scene.js';

/** A stream of changes as a client sees it: every event, every byte, and when it is over. */
export class StreamClient {
  readonly events: SseEvent[] = [];
  /** All that came, or the body of a refusal. */
  text = '';
  isOver = false;
  private constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, unknown>>,
    readonly close: () => void,
  ) {}

  /** Opens one as a client of its era does. @param more - headers beside its own; an empty one is left out */
  static open(scene: IngressScene, client: WireClient, more: Record<string, string> = {}): Promise<StreamClient> {
    const isModern = client.era === 'modern';
    const method = 'subscriptions/listen';
    const body = client.messageOf(method, { notifications: { toolsListChanged: true } }, 'L1');
    const own = client.headersOf(method);
    const all = { ...own, ...(isModern ? {} : { accept: 'text/event-stream' }), ...more };
    const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
    return new Promise((resolve, reject) => {
      const how = { method: isModern ? 'POST' : 'GET', headers, agent: false };
      const sent = httpRequest(`${scene.host.url}/mcp/dev`, how, (response) => {
        const opened = new StreamClient(response.statusCode ?? 0, response.headers, () => sent.destroy());
        const decoder = new SseDecoder(1_000_000, (event) => opened.events.push(event));
        response.on('data', (chunk: Buffer) => {
          opened.text += chunk.toString('utf8');
          decoder.push(chunk);
        });
        response.on('error', () => undefined);
        response.on('close', () => (opened.isOver = true));
        resolve(opened);
      });
      sent.on('error', reject);
      sent.end(isModern ? body : undefined);
    });
  }

  /** Messages in their order, without events that have none. */
  messages(): { method?: string; error?: { data?: { code?: string } }; result?: object; params?: object }[] {
    return this.events.filter(({ data }) => data !== '').map(({ data }) => JSON.parse(data) as object);
  }

  /** How often it was told that there is another list. */
  get told(): number {
    return this.messages().filter(({ method }) => method === 'notifications/tools/list_changed').length;
  }
}
