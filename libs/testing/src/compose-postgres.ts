import { appendFileSync, readFileSync } from 'node:fs';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import type { RunningService } from './compose-process.js';

export interface PostgresSettings {
  readonly dataDir: string;
  readonly port: number;
  /** Read at each start: the setup makes it. */
  readonly passwordFile: string;
  readonly logFile: string;
}

/** Stands for the `postgres` image: the embedded database at the port and with the password of the compose file. */
export class PostgresService implements RunningService {
  readonly name = 'postgres';
  private running: EmbeddedPostgres | undefined;

  constructor(private readonly settings: PostgresSettings) {}

  get pid(): number | undefined {
    return this.running?.pid;
  }

  logs(): string {
    return readFileSync(this.settings.logFile, 'utf8');
  }

  async start(): Promise<void> {
    if (this.running !== undefined) return;
    const { dataDir, port, passwordFile, logFile } = this.settings;
    this.running = await startEmbeddedPostgres({
      dataDir,
      tcp: { port, password: readFileSync(passwordFile, 'utf8') },
      onExit: (lastWords) => {
        this.running = undefined;
        appendFileSync(logFile, lastWords);
      },
    });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    if (signal !== 'SIGKILL') return this.stop();
    process.kill(running.pid, signal);
    // It reports its end by `onExit`; until then its directory is not free.
    while (this.running === running) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async healthy(): Promise<void> {
    if (this.running === undefined) throw new Error('postgres does not run');
  }

  async stop(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    await running?.stop();
  }
}
