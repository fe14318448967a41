import { createHash } from 'node:crypto';
import { BUILT_IN_PACKS, createEngine } from '@warder/detectors';
import { keptDetail, markOnRecord } from '@warder/admin-access';
import type { AdminAction, AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { ExportedAmount } from './export-stream.js';

/** Puts the record of an act into the log of the service, and resolves once it is committed. */
export type RecordAction = (action: AdminAction) => Promise<void>;

// Whom somebody asked after is what the record is for, by address too; a key or a card that they look for stays out.
const LOOKED_FOR = [...BUILT_IN_PACKS.secrets, ...BUILT_IN_PACKS.pii.filter((id) => id !== 'pii.email')];
const engine = createEngine([{ version: 1, status: 'active', pack: 'questions', detectors: LOOKED_FOR }]);
const ACTIONS = { secret: 'redact', pii: 'redact', injection: 'off', hidden: 'off' } as const;

/** What is handed out in bulk: records, or records with the checkpoints that name them. */
export type ExportNoun = 'export' | 'bundle';

/** Answers questions about records, and puts each on record before its answer leaves. */
export class QueryLog {
  /** @param onLost - told when the end of an export could not be put on record */
  constructor(
    private readonly record: RecordAction,
    private readonly onLost: (error: unknown) => void,
  ) {}

  /**
   * Asks, and answers once the record of the question is committed: who, with which filters, and the length and hash of
   * what was answered. A question that is refused is on record too.
   * @param action - `<noun>.<verb>`
   * @param asked - the filters as they came
   * @throws AdminError 503 WDR_STORE_UNAVAILABLE when the record cannot be written: nothing is told without one
   */
  async answer(by: AdminActor, action: string, asked: object, ask: () => Promise<string>): Promise<string> {
    const question = {
      kind: 'query',
      action,
      by,
      arguments: cleanOf(asked),
    } as const;
    let text: string;
    try {
      text = await ask();
    } catch (error) {
      const refusal = refusalOf(error);
      // Where the store is away there is nothing to write it to, and nothing was told.
      if (refusal.code !== 'WDR_STORE_UNAVAILABLE') {
        await this.keep({ ...question, refusal });
        markOnRecord(error);
      }
      throw error;
    }
    const sha256 = createHash('sha256').update(text).digest('hex');
    await this.keep({ ...question, result: { bytes: Buffer.byteLength(text), sha256 } });
    return text;
  }

  /**
   * Reads what an export is asked for and puts it on record, before its first byte leaves.
   * @throws AdminError 503 WDR_STORE_UNAVAILABLE when the record cannot be written
   */
  async exportBegun<Query>(by: AdminActor, noun: ExportNoun, asked: object, read: () => Query): Promise<Query> {
    const begun = { kind: 'export', action: `${noun}.begin`, by, arguments: cleanOf(asked) } as const;
    let query: Query;
    try {
      query = read();
    } catch (error) {
      if (error instanceof AdminError) {
        await this.keep({ ...begun, refusal: refusalOf(error) });
        markOnRecord(error);
      }
      throw error;
    }
    await this.keep(begun);
    return query;
  }

  /** Puts on record how much was handed out, whole or not. Never rejects: the bytes have left. */
  async exportEnded(by: AdminActor, noun: ExportNoun, asked: object, amount: ExportedAmount): Promise<void> {
    const { bytes, sha256, failure, ...counts } = amount;
    const ended = {
      kind: 'export',
      action: `${noun}.end`,
      by,
      arguments: { ...cleanOf(asked), ...counts },
      result: { bytes, sha256 },
    } as const;
    try {
      await this.record(failure === undefined ? ended : { ...ended, refusal: refusalOf(failure) });
    } catch (error) {
      this.onLost(error);
    }
  }

  private async keep(action: AdminAction): Promise<void> {
    try {
      await this.record(action);
    } catch {
      throw new AdminError(503, 'WDR_STORE_UNAVAILABLE', 'the question could not be put on record; it is not answered');
    }
  }
}

function refusalOf(error: unknown): { code: string; detail: string; isForbidden: boolean } {
  const { code, detail } = error instanceof AdminError ? error : { code: 'WDR_INTERNAL', detail: '' };
  return { code, detail: keptDetail(detail), isForbidden: false };
}

function cleanOf(asked: object): object {
  return engine.screen({ ...asked }, 'request', ACTIONS).value as object;
}
