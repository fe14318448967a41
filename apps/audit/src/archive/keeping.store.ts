import type { AuditRecord } from '@warder/contracts';
import type { DataSource } from 'typeorm';
import type { PartitionStore } from '../partition.store.js';
import { dayOf, partitionOf } from '../partition.store.js';
import type { TextIndexStore } from '../text-index.store.js';
import type { ArchiveStore } from './archive.store.js';
import { calledInPostgres, eraseHot, sharedNames } from './erase-hot.store.js';
import { erasedText, personalOf } from './erased-text.js';
import type { DueErasure, ErasureStore } from './erasure.store.js';
import type { LegalHoldStore } from './legal-hold.store.js';
import { isNamedIn, knownAs, NAMES_MAX, type Subject } from './subject-names.js';

const DAY_MS = 86_400_000;
/** How long after its day a record may still come and is expected to: the topic keeps a record for so long. */
const LATE_MS = 8 * DAY_MS;

export interface KeepingParts {
  readonly source: DataSource;
  readonly partitions: PartitionStore;
  readonly textIndex: TextIndexStore;
  readonly holds: LegalHoldStore;
  readonly erasures: ErasureStore;
  /** Absent where no archive is configured; days past retention are then deleted. */
  readonly archive: ArchiveStore | undefined;
  readonly retentionDays: number;
  readonly archiveRetentionDays: number;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/**
 * What happens to records in time: a closed day becomes Parquet, leaves Postgres once it is past retention and the
 * archive holds all of it, and ends with the archive's own retention; a legal hold stops every deletion.
 */
export class Keeping {
  constructor(private readonly parts: KeepingParts) {}

  /** Makes the partitions of the days to come: the one thing that must be there before a record is stored. */
  async prepare(nowMs: number): Promise<void> {
    const failed = await this.parts.partitions.ensureAhead(nowMs);
    if (failed.length > 0) this.parts.log.warn({ days: failed }, 'records of these days stay in the default partition');
  }

  /** Does what is due, in one process at a time. One day that fails does not keep the others. */
  async run(nowMs: number): Promise<void> {
    await this.alone(async () => {
      await this.prepare(nowMs);
      await this.runErasures(nowMs);
      await this.each(await this.closedDays(nowMs), 'archived', (day) => this.archiveDay(day, nowMs));
      await this.each(await this.parts.partitions.daysBefore(dayOf(nowMs)), 'indexed', async (day) => {
        await this.parts.textIndex.build(day);
      });
      const dropBefore = dayOf(nowMs - this.parts.retentionDays * DAY_MS);
      await this.each(await this.parts.partitions.daysBefore(dropBefore), 'dropped', (day) => this.dropDay(day));
      await this.parts.partitions.dropQuarantine(dropBefore);
      await this.parts.partitions.dropRollUps(dayOf(nowMs - this.rollUpDays() * DAY_MS));
      await this.removeArchived(dayOf(nowMs - this.parts.archiveRetentionDays * DAY_MS));
    });
  }

  /** Days that no record is expected for any more and whose files are not there or not of all of them. */
  private async closedDays(nowMs: number): Promise<readonly string[]> {
    if (this.parts.archive === undefined) return [];
    return this.parts.partitions.daysBefore(dayOf(nowMs));
  }

  private async archiveDay(day: string, nowMs: number): Promise<void> {
    const archive = this.parts.archive!;
    const known = (await archive.days()).find((archived) => archived.day === day);
    const isSettled = Date.parse(`${day}T00:00:00Z`) < nowMs - LATE_MS - DAY_MS;
    if (known !== undefined && isSettled) return;
    if ((await this.parts.partitions.count(day)) === (known?.hotRows ?? 0)) return;
    const { rows } = await archive.write(day);
    this.parts.log.info({ day, rows }, 'a day is archived');
  }

  private async dropDay(day: string): Promise<void> {
    const { archive, partitions } = this.parts;
    if (archive === undefined) {
      if ((await this.parts.holds.heldOf([day])).has(day)) return;
      await partitions.drop(day);
      return;
    }
    if (await archive.dropHot(day, partitionOf(day))) return;
    await archive.write(day);
    if (!(await archive.dropHot(day, partitionOf(day)))) throw new Error('the day still gets records');
  }

  private async removeArchived(before: string): Promise<void> {
    const { archive, holds } = this.parts;
    if (archive === undefined) return;
    const old = (await archive.days()).filter(({ day, isHot }) => day < before && !isHot).map(({ day }) => day);
    const held = await holds.heldOf(old);
    await this.each(
      old.filter((day) => !held.has(day)),
      'removed',
      (day) => archive.remove(day),
    );
  }

  /** Erases what was asked for; for a while after it again, for records that were still on their way. */
  private async runErasures(nowMs: number): Promise<void> {
    const { erasures, log } = this.parts;
    for (const erasure of await erasures.due(nowMs - LATE_MS)) {
      try {
        await this.erase(erasure);
      } catch (error) {
        log.warn({ err: error, erasure: erasure.id }, 'a person could not be erased whole; it is tried again');
      }
    }
    await erasures.forget(nowMs - LATE_MS);
  }

  private async erase(erasure: DueErasure): Promise<void> {
    const { source, erasures, archive } = this.parts;
    const subject = await this.subjectOf(erasure);
    await erasures.know(erasure.id, subject.knownAs);
    const hot = await eraseHot(source, subject, erasure.requestedAtMs);
    if (hot === 0 && erasure.state === 'finished') return;
    // Until its files are written too it is not finished, whatever becomes of this run.
    await erasures.reopen(erasure.id);
    const cold = archive === undefined ? 0 : await this.eraseCold(archive, subject, erasure.requestedAtMs);
    await erasures.finish(erasure.id, hot + cold);
  }

  /** Whom to look for. It is asked again each time: a record that came late may know another address. */
  private async subjectOf(erasure: DueErasure): Promise<Subject> {
    const { source, archive } = this.parts;
    const { subject: id, requestedAtMs, state } = erasure;
    const called = await calledInPostgres(source, erasure);
    if (state === 'requested') called.push(...((await archive?.called(id, dayOf(requestedAtMs))) ?? []));
    const fresh = knownAs(called).filter((name) => !erasure.knownAs.includes(name));
    const shared = await sharedNames(source, { id, knownAs: fresh });
    const own = fresh.filter((name) => !shared.has(name));
    return { id, knownAs: [...erasure.knownAs, ...own].slice(0, NAMES_MAX) };
  }

  private async eraseCold(archive: ArchiveStore, subject: Subject, untilMs: number): Promise<number> {
    let records = 0;
    for (const { day, isHot } of await archive.daysNaming(subject, dayOf(untilMs))) {
      await archive.write(day, (text) => {
        if (!isOf(text, subject, untilMs)) return text;
        if (!isHot) records += 1;
        return erasedText(text);
      });
    }
    return records;
  }

  private rollUpDays(): number {
    return this.parts.archive === undefined ? this.parts.retentionDays : this.parts.archiveRetentionDays;
  }

  private async each(days: readonly string[], what: string, work: (day: string) => Promise<void>): Promise<void> {
    for (const day of days) {
      try {
        await work(day);
      } catch (error) {
        this.parts.log.warn({ err: error, day }, `a day could not be ${what}; it is tried again`);
      }
    }
  }

  private async alone(work: () => Promise<void>): Promise<void> {
    const runner = this.parts.source.createQueryRunner();
    try {
      const [{ taken }] = await runner.query(`SELECT pg_try_advisory_lock(hashtext('warder-audit-keeping')) AS taken`);
      if (!taken) return;
      try {
        await work();
      } finally {
        await runner.query(`SELECT pg_advisory_unlock(hashtext('warder-audit-keeping'))`);
      }
    } finally {
      await runner.release();
    }
  }
}

/** Whether the record is one whose personal bytes an erasure of the subject takes: its own, or a change that names it. */
function isOf(text: string, subject: Subject, untilMs: number): boolean {
  if (personalOf(text) === 'null') return false;
  const { principal, log, occurredAtMs } = JSON.parse(text) as Pick<AuditRecord, 'principal' | 'log' | 'occurredAtMs'>;
  if (occurredAtMs > untilMs) return false;
  return principal?.id === subject.id || (log.startsWith('admin/') && isNamedIn(personalOf(text), subject));
}
