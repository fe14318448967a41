import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const OCSF_SCHEMA_VERSION = '1.8.0';
const RESOLVE_TIMEOUT_MS = 300_000;

// The schema itself is no package of any registry. This one carries what the project's own compiler made of the
// release 1.8.0; its classes, objects, requirements, enumerations and types were compared with the release's sources.
const PACKAGE = 'ocsf-json-schema==1.2.0';
const PACKAGE_SHA256 = '64d819042d20c3c04bc0d024c7c47c41006ebbe0209ce768ba6efa1240106708';
const SCHEMA_PATH = join('ocsf_json_schema', 'ocsf', `${OCSF_SCHEMA_VERSION}.json`);
const SCHEMA_SHA256 = '221b43d05787aa68d03233589f0eabdab192531d3e4740b856b2e0a4d6d91f82';

/** One attribute of a class or an object. */
export interface OcsfAttribute {
  readonly type: string;
  readonly requirement: 'required' | 'recommended' | 'optional';
  readonly is_array?: boolean;
  readonly object_type?: string;
  /** The attribute exists where the event claims one of these. */
  readonly profiles?: readonly string[] | null;
  readonly enum?: Readonly<Record<string, { readonly caption: string }>>;
  /** The attribute that holds the caption of this one's value. */
  readonly sibling?: string;
  readonly '@deprecated'?: object;
}

/** A class or an object. */
export interface OcsfEntity {
  readonly name: string;
  readonly attributes: Readonly<Record<string, OcsfAttribute>>;
  readonly constraints?: { readonly at_least_one?: readonly string[]; readonly just_one?: readonly string[] };
}

export interface OcsfClassEntity extends OcsfEntity {
  readonly uid: number;
  readonly category_uid: number;
  readonly profiles?: readonly string[];
}

/** A scalar type; one with a `type` narrows that one. */
export interface OcsfType {
  readonly type?: string;
  readonly regex?: string;
  readonly max_len?: number;
  readonly range?: readonly [number, number];
}

/** The parts of the compiled schema that say what an event may be. */
export interface OcsfSchema {
  readonly version: string;
  readonly classes: Readonly<Record<string, OcsfClassEntity>>;
  readonly objects: Readonly<Record<string, OcsfEntity>>;
  readonly dictionary: { readonly types: { readonly attributes: Readonly<Record<string, OcsfType>> } };
}

/**
 * The published OCSF schema, compiled; resolved by pip into a cache outside of the tree, once.
 * @throws Error with one sentence when pip cannot be run or cannot resolve it, or it is not the one that is pinned
 */
export async function resolveOcsfSchema(): Promise<OcsfSchema> {
  const cacheDir = process.env.WARDER_OCSF_CACHE ?? join(homedir(), '.cache', 'warder', 'ocsf');
  const file = join(cacheDir, `${OCSF_SCHEMA_VERSION}.json`);
  try {
    const known = await readFile(file).catch(() => undefined);
    return parsed(known ?? (await resolved(cacheDir, file)));
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(
      `No OCSF schema for the tests: install Python 3 with pip so that ${PACKAGE} can be resolved (${cause}).`,
      { cause: error },
    );
  }
}

async function resolved(cacheDir: string, file: string): Promise<Buffer> {
  await mkdir(cacheDir, { recursive: true });
  const workDir = await mkdtemp(join(cacheDir, 'resolve-'));
  try {
    const wanted = join(workDir, 'requirements.txt');
    await writeFile(wanted, `${PACKAGE} --hash=sha256:${PACKAGE_SHA256}\n`);
    // Only its data is wanted, which is the same for whatever Python is there.
    const options = ['--no-deps', '--only-binary=:all:', '--python-version=3.14', '--require-hashes', '--quiet'];
    const download = ['-m', 'pip', 'download', ...options, '--dest', workDir, '--requirement', wanted];
    await run('python3', download, { timeout: RESOLVE_TIMEOUT_MS });
    const wheel = (await readdir(workDir)).find((name) => name.endsWith('.whl')) ?? '';
    await run('python3', ['-m', 'zipfile', '-e', join(workDir, wheel), workDir], { timeout: RESOLVE_TIMEOUT_MS });
    await rename(join(workDir, SCHEMA_PATH), file);
    return await readFile(file);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

function parsed(bytes: Buffer): OcsfSchema {
  if (createHash('sha256').update(bytes).digest('hex') !== SCHEMA_SHA256) {
    throw new Error('the schema in the cache is not the one that is pinned');
  }
  return JSON.parse(bytes.toString('utf8')) as OcsfSchema;
}
