export { type Gap, gapRecordText } from './gap-record.js';
export { type Journal, openJournal, type WriteOptions } from './journal.js';
export { JournalFullError } from './journal-full.js';
export type {
  CheckpointOptions,
  JournalDrain,
  JournalLog,
  JournalOptions,
  KafkaDrainOptions,
} from './journal-options.js';
export { INTENT_BYTES_MAX, OUTCOME_BYTES_MAX, RECORD_BYTES_MAX } from './record-text.js';
