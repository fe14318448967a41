import { JsonError, stringifyJson } from '@warder/mcp-wire';
import type { Call, Cleared, Received } from '../pipeline/call.js';
import type { Guardrails, Journal, Outcome } from '../pipeline/gateway.js';
import { asOutcome } from '../pipeline/outcome.js';
import { Refusal, type RefusalFacts } from '../pipeline/refusal.js';
import { captureText, KEPT_OF_ARGUMENTS, KEPT_OF_RESULT } from './capture.js';
import { harmless } from './harmless.js';
import { MaskedClaims } from './masked-claims.js';
import { maskedForRecord, RECORD_ACTIONS } from './masking.js';
import { halfText, intentText, outcomeText, wholeText } from './record-text.js';
import type { RefusalCounter } from './refusal-counter.js';

/** What the recorder needs of libs/journal. Texts are JSON objects. */
export interface JournalWriter {
  append(record: string, how?: { strict?: boolean }): Promise<number>;
  /** @throws JournalFullError */
  openIntent(
    intent: string,
    how?: { strict?: boolean },
  ): { readonly sequence: number; readonly written: Promise<void> };
  closeIntent(sequence: number, outcome: string, how?: { strict?: boolean }): Promise<void>;
}

export interface RecorderParts {
  readonly node: string;
  readonly journal: JournalWriter;
  readonly counter: RefusalCounter;
  readonly guardrails: () => Guardrails;
  /** Whether the server's records must be on the disk, as the policy of this moment says. */
  readonly isStrict: (virtualServer: string) => boolean;
}

/** Writes what became of each operation: the intent before the act, the one final record before the answer. */
export class Recorder implements Journal {
  private readonly nodeJson: string;
  private readonly claims = new MaskedClaims();

  constructor(private readonly parts: RecorderParts) {
    this.nodeJson = JSON.stringify(parts.node);
  }

  async open(call: Cleared): Promise<number> {
    const capture = this.argumentsCapture(call);
    const { sequence, written } = this.inJournal(() =>
      this.parts.journal.openIntent(harmless(halfText(intentText(this.claims.masked(call), this.nodeJson, capture))), {
        strict: this.parts.isStrict(call.virtualServer),
      }),
    );
    try {
      await written;
    } catch (error) {
      // The intent may be on the disk: the journal closes it as refused, and a second record would be one too many.
      throw asRefusal(error, { isRecorded: true });
    }
    return sequence;
  }

  async close(call: Call, outcome: Outcome): Promise<void> {
    if (call.principal === undefined && outcome.kind !== 'answered') {
      const { code, internalDetail, facts } = outcome.refusal;
      this.parts.counter.count(code, call.address, internalDetail, facts.holder);
      return;
    }
    if (outcome.kind !== 'answered' && outcome.refusal.facts.isRecorded) return;
    if (outcome.kind !== 'answered' && outcome.refusal.facts.findings) {
      call.findings.push(...outcome.refusal.facts.findings);
    }
    if (call.recordSequence !== undefined) return this.closeIntent(call, call.recordSequence, outcome);
    const how = { strict: this.parts.isStrict(call.virtualServer) };
    const ended = outcomeText(call, outcome, this.resultCapture(call, outcome));
    const told = this.claims.masked(call.target === undefined ? this.withMaskedNames(call) : call);
    const { rule, approval }: RefusalFacts = outcome.kind === 'answered' ? {} : outcome.refusal.facts;
    const intent = intentText(told, this.nodeJson, this.refusedArguments(call, outcome), rule, approval);
    try {
      await this.parts.journal.append(harmless(wholeText(intent, ended)), how);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** Whatever fails here: an intent that stayed open would keep the journal from giving room back, until it is full. */
  private async closeIntent(call: Call, sequence: number, outcome: Outcome): Promise<void> {
    const how = { strict: this.parts.isStrict(call.virtualServer) };
    let text: string;
    try {
      text = harmless(halfText(outcomeText(call, outcome, this.resultCapture(call, outcome))));
    } catch (error) {
      await this.parts.journal.closeIntent(
        sequence,
        harmless(halfText(outcomeText(call, asOutcome(error), 'null'))),
        how,
      );
      throw error;
    }
    await this.parts.journal.closeIntent(sequence, text, how);
  }

  private argumentsCapture(call: Cleared): string {
    const kept = KEPT_OF_ARGUMENTS[call.capture];
    // A length tells no secret, so nothing has to be looked for in what is only measured.
    if (kept === 'nothing' || kept === 'bytes') return captureText(call.argsText, kept);
    const masked = maskedForRecord(call.cleanArgs, 'request', call.screening.request, this.parts.guardrails());
    return captureText(masked === call.cleanArgs ? call.argsText : stringifyJson(masked), kept);
  }

  private resultCapture(call: Call, outcome: Outcome): string {
    if (outcome.kind !== 'answered' || outcome.recordText === null) return 'null';
    const kept = KEPT_OF_RESULT[call.capture ?? 'none'];
    const text = outcome.recordText ?? outcome.text;
    if (kept === 'nothing' || kept === 'bytes') return captureText(text, kept);
    const { released, screening } = call;
    if (released === undefined || screening === undefined) return captureText(text, kept);
    // As it was released: what a rule took out of the answer is not to come back by the record.
    const { value } = released;
    const masked = maskedForRecord(value, 'response', screening.response, this.parts.guardrails());
    return captureText(masked === value ? text : stringifyJson(masked), kept);
  }

  /**
   * A refused call is recorded with its arguments, redacted although nothing screened them yet; one that was refused
   * for coming too often is not, or a flood past the quota would cost what the quota is to save.
   */
  private refusedArguments(call: Call & Partial<Received>, outcome: Outcome): string {
    const { recordedArgs = call.args } = outcome.kind === 'answered' ? {} : outcome.refusal.facts;
    if (recordedArgs === undefined || call.callsLeft === undefined) return 'null';
    const kept = KEPT_OF_ARGUMENTS[call.capture ?? 'none'];
    if (kept === 'nothing') return 'null';
    try {
      if (kept === 'bytes') return captureText(stringifyJson(recordedArgs), kept);
      const { value } = this.parts.guardrails().screen(recordedArgs, 'request', RECORD_ACTIONS);
      return captureText(stringifyJson(value), kept);
    } catch (error) {
      if (error instanceof JsonError || error instanceof Refusal) return 'null';
      throw error;
    }
  }

  /** Whoever names a method, a tool or a server that is not there may write anything, a secret too. */
  private withMaskedNames(call: Call & Partial<Received>): Call {
    const { method, virtualServer, exposedName = null } = call;
    const named = { method, virtualServer, exposedName };
    try {
      const masked = this.parts.guardrails().screen(named, 'request', RECORD_ACTIONS).value;
      return masked === named ? call : { ...call, ...(masked as object) };
    } catch (error) {
      if (error instanceof Refusal) return { ...call, method: '', virtualServer: '', exposedName: '' } as Call;
      throw error;
    }
  }

  private inJournal<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw asRefusal(error);
    }
  }
}

function asRefusal(error: unknown, facts: RefusalFacts = {}): unknown {
  const isFull = error instanceof Error && error.name === 'JournalFullError';
  if (!isFull) return error;
  const message = 'The gateway cannot keep a record at the moment, so it does nothing';
  return new Refusal('WDR_JOURNAL_FULL', message, error.message, { retryAfterMs: 5_000, ...facts });
}
