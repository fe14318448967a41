import type { ClientAuthenticationMethod, ProviderEntry } from '@warder/provider-catalog';
import type { ClientKeyAlgorithm } from '../client-keys/client-key-ring.js';
import type { StoredForm } from '../kept/credential-form.js';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a provider wants of the assertion with which our client proves itself (RFC 7523 section 3). */
export interface AssertionTerms {
  readonly algorithm: ClientKeyAlgorithm;
  /** Absent: the token endpoint. */
  readonly audience?: string;
}

/** How tokens of a provider are had for those of another. */
export interface ExchangeTerms {
  /** The provider at which people connect. */
  readonly from: string;
  readonly audience?: string;
  readonly resource?: string;
}

/** What an MCP server and its authorization server said when they were asked. Where they are stands in the parameters. */
export interface DiscoveredFacts {
  readonly entry: ProviderEntry;
  /** Of the entry's parameters: endpoints at origins that an operator named. */
  readonly values: Readonly<Record<string, string>>;
  /** How our client came about there. */
  readonly client: 'document' | 'dynamic';
  /** Wall milliseconds at which the secret of the registration ends; null: never. */
  readonly secretExpiresAtMs: number | null;
}

/** Our client at one provider of the catalogue; its secret stands in the secret store only. */
@Entity({ name: 'provider' })
export class Provider {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** Grows with every change; a row is never deleted. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  status!: 'active' | 'removed';

  /** Which entry of the catalogue it is. */
  @Column({ type: 'text' })
  entry!: string;

  @Column({ name: 'client_id', type: 'text' })
  clientId!: string;

  @Column({ name: 'has_secret', type: 'boolean' })
  hasSecret!: boolean;

  /** Under which name it stands in the secret store; each secret has its own. Null where there is none. */
  @Column({ name: 'secret_name', type: 'text', nullable: true })
  secretName!: string | null;

  /** How our client proves itself; null: as the entry has it, with the secret where there is one. */
  @Column({ type: 'text', nullable: true })
  authentication!: ClientAuthenticationMethod | null;

  /** How the assertion of `private_key_jwt` is made; null where there is none. */
  @Column({ type: 'jsonb', nullable: true })
  assertion!: AssertionTerms | null;

  /** Null: people consent at the provider itself. */
  @Column({ type: 'jsonb', nullable: true })
  exchange!: ExchangeTerms | null;

  /** What people keep here, of a provider without OAuth; null of one with. */
  @Column({ type: 'jsonb', nullable: true })
  form!: StoredForm | null;

  /** Of a provider that is in no catalogue; null of others. */
  @Column({ type: 'jsonb', nullable: true })
  discovered!: DiscoveredFacts | null;

  /** Null: what the entry asks for. */
  @Column({ type: 'jsonb', nullable: true })
  scopes!: readonly string[] | null;

  @Column({ type: 'jsonb' })
  parameters!: Readonly<Record<string, string>>;

  /** Wall milliseconds until which nothing is asked of it; as text because a bigint is. */
  @Column({ name: 'paused_until_ms', type: 'bigint' })
  pausedUntilMs!: string;

  /** Failures one after the other: each pause is longer. */
  @Column({ type: 'int' })
  failures!: number;

  /** What an operator has to see to, such as a client secret that it takes no more; null where there is nothing. */
  @Column({ type: 'text', nullable: true })
  alarm!: string | null;

  @Column({ name: 'changed_at_ms', type: 'bigint' })
  changedAtMs!: string;
}
