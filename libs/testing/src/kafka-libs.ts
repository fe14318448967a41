import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const KAFKA_VERSION = '4.4.0';
const RESOLVE_TIMEOUT_MS = 300_000;

const kafka = (name: string): string => `org.apache.kafka:${name}:${KAFKA_VERSION}`;
const log4j = (name: string): string => `org.apache.logging.log4j:${name}:2.25.5`;
const jackson = (name: string): string => `com.fasterxml.jackson.core:jackson-${name}`;

// The 29 jars of which a broker loads classes; the codecs that kafkajs does not speak and OAUTHBEARER are left out.
const JARS = [
  kafka('kafka_2.13'),
  ...[
    'clients',
    'coordinator-common',
    'group-coordinator',
    'group-coordinator-api',
    'metadata',
    'raft',
    'server',
    'server-common',
    'share-coordinator',
    'storage',
    'storage-api',
    'transaction-coordinator',
  ].map((name) => kafka(`kafka-${name}`)),
  ...['log4j-api', 'log4j-core', 'log4j-slf4j-impl'].map(log4j),
  ...['annotations:2.21', 'core:2.21.7', 'databind:2.21.7'].map(jackson),
  'org.slf4j:slf4j-api:1.7.36',
  'org.scala-lang:scala-library:2.13.18',
  'com.typesafe.scala-logging:scala-logging_2.13:3.9.6',
  'com.yammer.metrics:metrics-core:2.2.0',
  'org.hdrhistogram:HdrHistogram:2.2.2',
  'org.pcollections:pcollections:4.0.2',
  'com.google.re2j:re2j:1.8',
  'net.sf.jopt-simple:jopt-simple:5.0.4',
  'commons-validator:commons-validator:1.10.1',
  'net.sourceforge.argparse4j:argparse4j:0.7.0',
];

/** Folder outside the tree that holds the jars and the class-data archive between runs. */
export function kafkaCacheDir(): string {
  const place = process.env.WARDER_KAFKA_CACHE ?? join(homedir(), '.cache', 'warder', 'kafka');
  // Of these very jars: what another list left there is neither taken nor mended.
  return join(place, `${KAFKA_VERSION}-${hash('sha256', JARS.join(' '), 'hex').slice(0, 8)}`);
}

/**
 * Resolves Kafka's jars by Maven into the cache, once.
 * @returns the folder of jars
 * @throws Error when Maven cannot be run or cannot resolve them
 */
export async function resolveKafkaLibs(): Promise<string> {
  const cacheDir = kafkaCacheDir();
  const libDir = join(cacheDir, 'lib');
  if (existsSync(libDir)) return libDir;
  await mkdir(cacheDir, { recursive: true });
  const workDir = await mkdtemp(join(cacheDir, 'resolve-'));
  try {
    await writeFile(join(workDir, 'pom.xml'), pomOf(JARS));
    const goal = [
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(workDir, 'lib')}`,
      '-DincludeScope=runtime',
    ];
    await run('mvn', ['-q', '-B', '-f', join(workDir, 'pom.xml'), ...goal], { timeout: RESOLVE_TIMEOUT_MS });
    // Another run may have been faster; its jars are as good as these.
    await rename(join(workDir, 'lib'), libDir).catch((error: unknown) => {
      if (!existsSync(libDir)) throw error;
    });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return libDir;
}

/** The class path as an explicit list in a fixed order: a wildcard would defeat the class-data archive. */
export async function classPathOf(libDir: string): Promise<string> {
  const names = await readdir(libDir);
  return names
    .sort()
    .map((name) => join(libDir, name))
    .join(':');
}

/** A flat list without anything transitive, so that Maven fetches exactly these files. */
function pomOf(coordinates: readonly string[]): string {
  const exclusions = '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(':');
    const name = `<groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>`;
    return `<dependency>${name}${exclusions}</dependency>`;
  });
  const head =
    '<groupId>warder</groupId><artifactId>kafka-run</artifactId><version>1</version><packaging>pom</packaging>';
  return `<project><modelVersion>4.0.0</modelVersion>${head}<dependencies>${dependencies.join('')}</dependencies></project>`;
}
