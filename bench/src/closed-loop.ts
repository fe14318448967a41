import { connect, type Socket } from 'node:net';
import { HttpAnswerReader, type HttpAnswer } from './http-answer-reader.js';
import { RequestTemplate } from './request-template.js';

/** What one slice of load saw. */
export interface SliceCounts {
  readonly answered: number;
  readonly refused: number;
  /** Answers with another status, id or content than planned; must be 0. */
  readonly wrong: number;
  /** The first wrong answer, for whoever looks for the reason. */
  readonly firstWrong: string | null;
  readonly latenciesUs: readonly number[];
}

const REFUSED_CODE = '"code":-32602';
const REFUSED_STATUSES = new Set([200, 400, 404]);

/** Keep-alive connections to one target, each of which sends its next call when the last one was answered. */
export class ClosedLoop {
  private readonly connections: Connection[] = [];
  private nextCall = 0;
  private serial = 0;

  constructor(
    private readonly port: number,
    private readonly templates: readonly RequestTemplate[],
  ) {}

  async open(connections: number): Promise<void> {
    for (let index = 0; index < connections; index += 1) this.connections.push(await Connection.open(this.port));
  }

  /** Sends for that long, and returns when the last answer is there. @throws Error when a connection breaks */
  async run(durationMs: number): Promise<SliceCounts> {
    const slice = { answered: 0, refused: 0, wrong: 0, firstWrong: null as string | null, latenciesUs: [] as number[] };
    const stopAtMs = performance.now() + durationMs;
    const loop = async (connection: Connection): Promise<void> => {
      while (performance.now() < stopAtMs) {
        const template = this.templates[this.nextCall++ % this.templates.length] as RequestTemplate;
        const serial = this.serial++;
        const startMs = performance.now();
        const answer = await connection.send(template.withId(serial));
        slice.latenciesUs.push((performance.now() - startMs) * 1_000);
        slice.answered += 1;
        if (template.isRefused) slice.refused += 1;
        if (isPlanned(answer, template.isRefused, serial)) continue;
        slice.wrong += 1;
        slice.firstWrong ??= `${answer.status} ${answer.body.slice(0, 400)}`;
      }
    };
    await Promise.all(this.connections.map(loop));
    return slice;
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}

function isPlanned(answer: HttpAnswer, isRefused: boolean, serial: number): boolean {
  if (!answer.body.includes(RequestTemplate.idIn(serial))) return false;
  if (isRefused) return REFUSED_STATUSES.has(answer.status) && answer.body.includes(REFUSED_CODE);
  return answer.status === 200 && answer.body.includes('"result"') && answer.body.includes('"text"');
}

class Connection {
  private readonly reader = new HttpAnswerReader();
  private waiting: { resolve(answer: HttpAnswer): void; reject(error: Error): void } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      for (const answer of this.reader.push(chunk)) this.waiting?.resolve(answer);
    });
    socket.on('error', (error) => this.waiting?.reject(error));
    socket.on('close', () => this.waiting?.reject(new Error('the target closed a connection')));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Connection(socket)));
    });
  }

  send(bytes: Buffer): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) return reject(new Error('the target closed a connection while it was idle'));
      this.waiting = { resolve, reject };
      this.socket.write(bytes);
    });
  }

  close(): void {
    this.waiting = undefined;
    this.socket.destroy();
  }
}
