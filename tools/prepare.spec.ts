import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('says in one line which Node is needed', () => {
  const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.4"})';
  const start = fileURLToPath(new URL('start.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ['--import', old, start], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'warder: Node 20.19 or later is needed, this is 18.20.4\n' });
});
