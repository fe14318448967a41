import type { Readable } from 'node:stream';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { countedStream, type ExportedPiece } from './export-stream.js';
import type { ExportNoun, QueryLog } from './query-log.js';

/** Exports and bundles that one process hands out at once. Each holds a page of records, and a connection while it reads. */
const EXPORTS_MAX = 4;

/** What somebody asks to be handed. */
export interface BulkRequest {
  readonly by: AdminActor;
  readonly noun: ExportNoun;
  readonly asked: object;
}

/** Hands out records in bulk, so many at once; each time is on record before its first byte and with its amount at its end. */
export class BulkExports {
  private running = 0;

  /** @param onBroken - told why what was handed out ended before its end */
  constructor(
    private readonly log: QueryLog,
    private readonly onBroken: (error: unknown) => void,
  ) {}

  /**
   * @param read - reads what is asked for, and refuses it
   * @throws AdminError of `read`; 503 WDR_EXPORT_BUSY; 503 WDR_STORE_UNAVAILABLE where it cannot be put on record
   */
  async open<Query>(
    { by, noun, asked }: BulkRequest,
    read: () => Query,
    piecesOf: (query: Query) => AsyncIterable<ExportedPiece>,
  ): Promise<{ query: Query; stream: Readable }> {
    let isCounted = false;
    try {
      const query = await this.log.exportBegun(by, noun, asked, () => {
        const wanted = read();
        this.begin();
        isCounted = true;
        return wanted;
      });
      const stream = countedStream(piecesOf(query), (amount) => {
        this.running -= 1;
        if (amount.failure !== undefined) this.onBroken(amount.failure);
        void this.log.exportEnded(by, noun, asked, amount);
      });
      return { query, stream };
    } catch (error) {
      if (isCounted) this.running -= 1;
      throw error;
    }
  }

  private begin(): void {
    if (this.running >= EXPORTS_MAX) {
      throw new AdminError(503, 'WDR_EXPORT_BUSY', `${EXPORTS_MAX} exports are running already`);
    }
    this.running += 1;
  }
}
