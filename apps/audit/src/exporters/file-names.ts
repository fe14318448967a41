/** Closed files, and the one that is being written. */
const NAME = /^audit-\d{8}T\d{9}Z-(\d{6,12})\.ndjson(\.gz|\.open)$/;

export const MANIFEST = 'manifest.ndjson';
/** Where a file is compressed to before it has its name. */
export const DRAFT = 'draft.tmp';

export interface FileName {
  readonly stem: string;
  readonly number: number;
  readonly isOpen: boolean;
}

/** What a name in the directory says; `undefined` for one that is not ours. */
export function readFileName(name: string): FileName | undefined {
  const found = NAME.exec(name);
  if (found === null) return undefined;
  const [, number, end = ''] = found;
  return { stem: name.slice(0, -end.length), number: Number(number), isOpen: end === '.open' };
}

/**
 * `audit-<time of the first record>-<number>.ndjson`; the number goes up by one, so names sort as files were written
 * although times of several nodes do not.
 * @param firstIso - ISO 8601 with milliseconds
 */
export function fileStem(firstIso: string, number: number): string {
  return `audit-${firstIso.replace(/[-:.]/g, '')}-${String(number).padStart(6, '0')}.ndjson`;
}
