import { join } from 'node:path';
import type { ArchiveConfig } from './archive-config.js';

/** One file of the archive. */
export interface PartPlace {
  /** UTC day, `YYYY-MM-DD`. */
  readonly day: string;
  /** OCSF class of all of its rows. */
  readonly classUid: number;
  /** Grows with each rewriting of the day, so that a reader never meets a half-replaced file. */
  readonly generation: number;
  readonly part: number;
}

/**
 * Where a part lies, relative to the archive: `ext/<source>/region=/accountId=/eventDay=`, a source for each class.
 * @see Amazon Security Lake user guide, "Collecting data from custom sources"
 */
export function partPath(config: Pick<ArchiveConfig, 'region' | 'accountId'>, place: PartPlace): string {
  return join(
    'ext',
    `warder-${place.classUid}`,
    `region=${config.region}`,
    `accountId=${config.accountId}`,
    `eventDay=${place.day.replaceAll('-', '')}`,
    `g${String(place.generation).padStart(3, '0')}-p${String(place.part).padStart(4, '0')}.parquet`,
  );
}
