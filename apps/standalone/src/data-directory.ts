import { accessSync, chmodSync, constants, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '@warder/service-host';

/** Where standalone keeps what it keeps. */
export interface DataDirectory {
  readonly root: string;
  readonly postgres: string;
  readonly journal: string;
  readonly archive: string;
  readonly replicaFile: string;
  readonly stdioFile: string;
  readonly logFile: string;
  readonly privateDir: string;
  readonly secretsDir: string;
  readonly keyringFile: string;
  /** A file per ingress node, of which there is one. */
  readonly joinTokensDir: string;
  readonly identityFile: string;
  readonly pepperFile: string;
  readonly sessionKeyFile: string;
  readonly signingKeyFile: string;
  /** `<name>.pub`, for whoever verifies the audit trail. */
  readonly publicKeysDir: string;
  readonly adminTokenFile: string;
  readonly tokensFile: string;
  readonly samplesFile: string;
}

const LOG_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Makes the directory. Secrets stand in `private`, which only this user can enter; the root can be passed through,
 * for as root the database runs as another user.
 * @throws ConfigError when it cannot be written
 */
export function openDataDirectory(root: string): DataDirectory {
  const privateDir = join(root, 'private');
  try {
    makeDirectories(privateDir);
    chmodSync(privateDir, 0o700);
    accessSync(root, constants.W_OK | constants.X_OK);
    for (const name of ['journal', 'archive']) mkdirSync(join(root, name), { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError(`--data-dir: cannot write to ${root} (${code})`);
  }
  const logFile = join(root, 'warder.log');
  turnLog(logFile);
  return {
    root,
    postgres: join(root, 'postgres'),
    journal: join(root, 'journal'),
    archive: join(root, 'archive'),
    replicaFile: join(root, 'replica.sealed'),
    stdioFile: join(root, 'stdio.yaml'),
    logFile,
    privateDir,
    secretsDir: join(privateDir, 'secrets'),
    keyringFile: join(privateDir, 'keyring'),
    joinTokensDir: join(privateDir, 'join-tokens'),
    identityFile: join(privateDir, 'identity.key'),
    pepperFile: join(privateDir, 'pepper'),
    sessionKeyFile: join(privateDir, 'session-key'),
    signingKeyFile: join(privateDir, 'signing.key'),
    publicKeysDir: join(root, 'public-keys'),
    adminTokenFile: join(privateDir, 'admin-token'),
    tokensFile: join(privateDir, 'tokens.json'),
    samplesFile: join(root, 'samples.json'),
  };
}

// Node's recursive mkdir goes round for ever where a directory refuses as if it were not there itself, as /proc does.
function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(dirname(path));
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    // Another start made it this moment: who may use it is decided by the lock of the database.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

// One older log is kept: two times the bound is all that logs ever take.
function turnLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
}
