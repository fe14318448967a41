import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const KEYCLOAK_VERSION = '26.7.3';
const RESOLVE_TIMEOUT_MS = 600_000;
const BUILD_HEAP = '-Xmx512m';

/** Folder outside the tree that holds the distribution and databases of realms between runs. */
export function keycloakCacheDir(): string {
  return join(process.env.WARDER_KEYCLOAK_CACHE ?? join(homedir(), '.cache', 'warder', 'keycloak'), KEYCLOAK_VERSION);
}

/** The environment of a Keycloak: it reads every `KC_…` variable as an option, and refuses those it does not know. */
export function keycloakEnvironment(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => !name.startsWith('KC_') && !name.startsWith('JAVA_'));
  return Object.fromEntries(given) as Record<string, string>;
}

/**
 * Resolves Keycloak's distribution by Maven into the cache and builds it for its own database, once.
 * @returns the folder of the distribution
 * @throws Error with one sentence when Java or Maven is missing or cannot do it
 */
export async function resolveKeycloak(): Promise<string> {
  const cacheDir = keycloakCacheDir();
  const distDir = join(cacheDir, 'dist');
  if (existsSync(distDir)) return distDir;
  await mkdir(cacheDir, { recursive: true });
  const workDir = await mkdtemp(join(cacheDir, 'resolve-'));
  try {
    const goal = [
      'dependency:unpack',
      `-Dartifact=org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:zip`,
      `-DoutputDirectory=${workDir}`,
    ];
    await run('mvn', ['-q', '-B', ...goal], { cwd: workDir, timeout: RESOLVE_TIMEOUT_MS });
    const unpacked = join(workDir, `keycloak-${KEYCLOAK_VERSION}`);
    const build = [join(unpacked, 'bin/kc.sh'), 'build', '--db=dev-file', '--health-enabled=true'];
    const env = { ...keycloakEnvironment(), JAVA_OPTS_KC_HEAP: BUILD_HEAP };
    await run('sh', build, { env, timeout: RESOLVE_TIMEOUT_MS });
    // Another run may have been faster; its distribution is as good as this one.
    await rename(unpacked, distDir).catch((error: unknown) => {
      if (!existsSync(distDir)) throw error;
    });
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(
      `No Keycloak for the tests: install Java 17 and Maven so that Keycloak ${KEYCLOAK_VERSION} can be resolved (${cause}).`,
      { cause: error },
    );
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return distDir;
}
