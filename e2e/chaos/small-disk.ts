import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const ZEROES = Buffer.alloc(65_536);
const BALLAST = 'ballast';

/** A file system of its own, as small as it is told (tmpfs): it can really be full. */
export class SmallDisk {
  private constructor(private readonly dir: string) {
    process.once('exit', this.unmount);
  }

  /** @returns nothing where this user may not mount */
  static mount(dir: string, megabytes: number): SmallDisk | undefined {
    mkdirSync(dir, { recursive: true });
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir]);
    return status === 0 ? new SmallDisk(dir) : undefined;
  }

  /** Leaves no byte. */
  fill(): void {
    const fd = openSync(join(this.dir, BALLAST), 'w');
    try {
      for (let bytes = ZEROES.length; bytes > 0;) {
        try {
          writeSync(fd, ZEROES, 0, bytes);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          bytes = Math.floor(bytes / 16);
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  free(): void {
    rmSync(join(this.dir, BALLAST), { force: true });
  }

  readonly unmount = (): void => {
    process.off('exit', this.unmount);
    spawnSync('umount', ['-l', this.dir]);
  };
}
