import { join } from 'node:path';
import { type AtRest, filesAtRest, kafkaBatchesAtRest, placesOf, rowsAtRest } from './places-at-rest.js';
import type { Shape } from './shapes.js';

/** All that a stopped Warder keeps, as bytes that a search can read. */
export interface Kept {
  /** Logs, journals, replicas, archives, exports, segments and pages of the database: byte for byte. */
  readonly files: Iterable<AtRest>;
  /** Kafka's record batches of every topic and partition, decompressed; none in standalone. */
  readonly batches: readonly AtRest[];
  /** Every row of every table, `bytea` included. */
  readonly rows: readonly AtRest[];
}

/** Reads all of it. @param dataDir - of the scene; whatever writes there has ended */
export async function keptBy(shape: Shape, dataDir: string): Promise<Kept> {
  const isCluster = shape === 'cluster';
  return {
    files: filesAtRest(dataDir),
    batches: isCluster ? [...kafkaBatchesAtRest(join(dataDir, 'volumes/kafka'))] : [],
    rows: await rowsAtRest(join(dataDir, isCluster ? 'volumes/postgres' : 'warder/postgres')),
  };
}

/**
 * The search with which a story that makes connections ends: wherever one of the secrets stands that it brought in or
 * was given, as it is or as Base64 or hexadecimal digits, whatever stands before it.
 * @param more - what else was kept or said, such as the audit log of a vault or an export
 */
export function canaryPlaces(secrets: readonly string[], kept: Kept, more: readonly AtRest[] = []): string[] {
  const forms = secrets.flatMap(formsOf);
  return [kept.files, kept.batches, kept.rows, more].flatMap((resting) => placesOf(forms, resting));
}

/** A text as it is, in hexadecimal digits, and in Base64 at each of the three places where it may begin. */
export function formsOf(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const hex = bytes.toString('hex');
  const based = [0, 1, 2].map((before) => {
    // Of the first and the last characters some bits are of what stands beside it.
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return whole.slice(before === 0 ? 0 : before + 1, (bytes.length + before) % 3 === 0 ? undefined : -1);
  });
  const inUrls = based.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([text, hex, hex.toUpperCase(), ...based, ...inUrls])];
}
