const MARK = ',"personal":';

/** The record's text without its personal bytes: they and their salt go, the commitment stays, and proofs with it. */
export function erasedText(text: string): string {
  const at = text.indexOf(MARK);
  if (at < 0) throw new RangeError('a record without a personal part');
  return `${text.slice(0, at)}${MARK}null}`;
}

/** The personal part of a record's text; `null` where it has none, or none any more. */
export function personalOf(text: string): string {
  const at = text.indexOf(MARK);
  return at < 0 ? 'null' : text.slice(at + MARK.length, -1);
}

/** What `erasedText` answers, as an expression of SQL over the column `record`. */
export const ERASED_RECORD = `(left(record::text, strpos(record::text, '${MARK}') - 1) || '${MARK}null}')::json`;
/** Whether a row still has personal bytes. */
export const HAS_PERSONAL = `right(record::text, ${MARK.length + 5}) <> '${MARK}null}'`;
