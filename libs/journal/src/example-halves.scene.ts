import { auditRecordedTopic } from '@warder/contracts';

const { log: _log, sequence: _sequence, commitment: _commitment, ...record } = auditRecordedTopic.example;
const { decision, outcome, refusal, isError, findings, phasesUs, count, personal, ...core } = record;
const { refusalDetail, result, ...known } = personal!;

/** The example record without what a journal adds to it, as a caller appends it. */
export const exampleRecord = record;
/** Its half that is known before the act. */
export const exampleIntent = { ...core, personal: known };
const ended = { decision, outcome, refusal, isError, findings, phasesUs, count };
/** Its half that is known at the end. */
export const exampleOutcome = { ...ended, personal: { refusalDetail, result } };
