/** Every test of the project; installs what is missing first. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const run = (command, args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
if (!existsSync('node_modules/vitest')) run('npm', ['ci']);
run('npx', ['tsc', '-p', 'tsconfig.check.json']);
run('npx', ['vitest', 'run']);
