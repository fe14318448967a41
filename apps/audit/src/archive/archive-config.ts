import { z } from 'zod';

/** A part of a path that every file system and object store takes. */
const PathName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, "-" and "_", up to 64');

/** Where closed days are kept as Parquet, and for how long. */
export const ArchiveConfig = z.strictObject({
  /** The directory of the archive; every process of the service must see the same one. */
  dir: z.string().min(1),
  /** Stand in the path as `region=` and `accountId=`, as Amazon Security Lake lays its sources out. */
  region: PathName.default('local'),
  accountId: PathName.default('warder'),
  /** Days that the files are kept. */
  retentionDays: z.int().min(1).max(36_500).default(2_557),
  /** Bytes of memory that DuckDB takes at most; beyond it, it works in `<dir>/.work`. */
  memoryMaxBytes: z.int().min(134_217_728).max(68_719_476_736).default(536_870_912),
  /** Threads of DuckDB at most. */
  threadsMax: z.int().min(1).max(64).default(1),
});
export type ArchiveConfig = z.infer<typeof ArchiveConfig>;
