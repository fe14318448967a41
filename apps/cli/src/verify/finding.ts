/**
 * What a finding means: `tampered` is a fact that only a change afterwards, or a stolen key, explains; `unproven` is what
 * cannot be told from this export; `notice` is worth knowing and says nothing against the record.
 */
export type Weight = 'tampered' | 'unproven' | 'notice';

/** One thing that verification says of a log. */
export interface Finding {
  readonly weight: Weight;
  /** A stable word for programs. */
  readonly what:
    | 'record-altered'
    | 'record-removed'
    | 'record-inserted'
    | 'record-reordered'
    | 'personal-altered'
    | 'root-differs'
    | 'checkpoint-altered'
    | 'checkpoint-unsigned'
    | 'checkpoint-missing'
    | 'checkpoint-forked'
    | 'no-checkpoint'
    | 'no-place'
    | 'not-covered'
    | 'starts-later'
    | 'tree-begins'
    | 'sequence-missing';
  /** Index of the record. */
  readonly index?: number;
  /** `file:line` where there is something to look at. */
  readonly at?: string;
  readonly text: string;
}

/** What was verified of one log. */
export interface LogReport {
  readonly log: string;
  /** The first and the last index that checkpoints name, and how many of these records are there. */
  readonly from: number;
  readonly to: number;
  readonly records: number;
  readonly checkpoints: number;
  readonly erased: number;
  /** Files of the keys that signed. */
  readonly signers: readonly string[];
  readonly findings: readonly Finding[];
}
