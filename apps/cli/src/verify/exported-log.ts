import type { ReadCheckpoint } from '@warder/merkle-log';

/** A line of a file, for people. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** One record of an export, without its text: an export may be larger than memory. */
export interface ExportedRecord extends Place {
  readonly index: number | undefined;
  readonly sequence: number;
  readonly leaf: Buffer;
  readonly personal: 'there' | 'altered' | 'erased' | 'never';
  /** Bytes up to the personal part, of records whose leaf is looked at closer; read again from the file. */
  core(): Buffer;
}

/** One checkpoint of an export. */
export interface ExportedCheckpoint extends Place {
  readonly size: number;
  /** It tells where the log goes on from; the records that it names are not in the export. */
  readonly isBase: boolean;
  /** What it says, or why it says nothing. */
  readonly read: ReadCheckpoint | { readonly fault: string };
}

/** Sequence numbers, both ends included. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

/** Everything that an export holds of one log. */
export interface ExportedLog {
  readonly name: string;
  readonly records: ExportedRecord[];
  readonly checkpoints: ExportedCheckpoint[];
  /** What records of kind `gap` tell to be lost. */
  readonly toldLost: SequenceRange[];
}
