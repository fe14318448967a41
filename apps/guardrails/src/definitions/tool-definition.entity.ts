import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One upstream whose definitions are known; its row is the lock under which they change. */
@Entity({ name: 'upstream_definitions' })
export class UpstreamDefinitions {
  @PrimaryColumn({ type: 'text' })
  upstream!: string;

  /** Grows with every change of a verdict; the version on the bus. */
  @Column({ type: 'int' })
  version!: number;

  /** Version of the catalogue that was taken in last. */
  @Column({ name: 'listed_version', type: 'bigint' })
  listedVersion!: string;
}

/** One definition that a tool has had, and what was said of it. */
@Entity({ name: 'tool_definition' })
export class ToolDefinitionRow {
  @PrimaryColumn({ type: 'text' })
  upstream!: string;

  @PrimaryColumn({ type: 'text' })
  tool!: string;

  @PrimaryColumn({ type: 'text' })
  hash!: string;

  /** JSON text; not `jsonb`, which refuses NUL and forgets the order of members. */
  @Column({ type: 'text' })
  definition!: string;

  /** Whether the tool looked like this when it was seen for the first time. */
  @Column({ name: 'is_first', type: 'boolean' })
  isFirst!: boolean;

  /** Whether the upstream listed it when it was listed last. */
  @Column({ name: 'is_listed', type: 'boolean' })
  isListed!: boolean;

  @Column({ type: 'text', nullable: true })
  verdict!: 'accepted' | 'rejected' | null;

  @Column({ name: 'seen_at_ms', type: 'bigint' })
  seenAtMs!: string;

  @Column({ name: 'decided_at_ms', type: 'bigint', nullable: true })
  decidedAtMs!: string | null;

  /** Principal id. */
  @Column({ name: 'decided_by', type: 'text', nullable: true })
  decidedBy!: string | null;
}
