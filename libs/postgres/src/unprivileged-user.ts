import * as fs from 'node:fs';
import * as path from 'node:path';

/** PostgreSQL refuses to run as root; `nobody` exists everywhere and no user has to be made. */
export interface UnprivilegedUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user that the database runs as, or `undefined` where it runs as we do. */
export function unprivilegedUser(): UnprivilegedUser | undefined {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
}

/** Whether the user can pass through every directory down to the path; judged by mode bits alone. */
export function isReachableBy(user: UnprivilegedUser, target: string): boolean {
  const real = fs.realpathSync(target);
  for (let at = path.dirname(real); ; at = path.dirname(at)) {
    const { uid, gid, mode } = fs.statSync(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

/** Where root keeps what the unprivileged user must reach; only root can write there, so nobody plants a binary. */
const REACHABLE_ROOT = '/var/lib/warder';

/**
 * A directory of ours that the unprivileged user can pass through.
 * @throws Error that names the directory when it cannot be made or is not root's alone
 */
export function reachableRoot(): string {
  try {
    fs.mkdirSync(REACHABLE_ROOT, { recursive: true, mode: 0o711 });
  } catch (error) {
    throw new Error(`cannot make ${REACHABLE_ROOT} for the embedded database; give a data directory outside of /root`, {
      cause: error,
    });
  }
  const { uid, mode } = fs.lstatSync(REACHABLE_ROOT);
  if (uid !== 0 || (mode & 0o022) !== 0)
    throw new Error(`${REACHABLE_ROOT} must belong to root and be writable by root alone`);
  return REACHABLE_ROOT;
}
