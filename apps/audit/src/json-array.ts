const OID_OF_JSON = 114;
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

/**
 * Texts of JSON as a parameter of the type `json[]` in Postgres' binary form (`array_send`: dimensions, flags, type of
 * elements, then length and lower bound of the one dimension, and each element behind its length, big-endian). The
 * bytes go as they are; in the textual form each quote of each record would be escaped here and read again there.
 */
export function jsonArray(texts: readonly Buffer[]): Buffer {
  const bytes = texts.reduce((sum, { length }) => sum + LENGTH_BYTES + length, HEADER_BYTES);
  const array = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const number of [1, 0, OID_OF_JSON, texts.length, 1]) at = array.writeInt32BE(number, at);
  for (const text of texts) {
    at = array.writeInt32BE(text.length, at);
    at += text.copy(array, at);
  }
  return array;
}
