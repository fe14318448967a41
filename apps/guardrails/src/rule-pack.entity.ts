import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One built-in rule pack and which of its detectors are on. */
@Entity({ name: 'rule_pack' })
export class RulePack {
  @PrimaryColumn({ type: 'text' })
  pack!: string;

  /** Grows with every change; the version on the bus. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text', array: true })
  detectors!: string[];

  /** Every detector that the pack has had: one that is not here is new, and is on until somebody turns it off. */
  @Column({ type: 'text', array: true })
  known!: string[];
}
