import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkoutRoot } from '@warder/testing';
import { type ClientKind, type ClientTarget, ownEnvironment, toolTextOf } from './real-client.js';

const run = promisify(execFile);
const RUN_MS = 60_000;

/** `@modelcontextprotocol/inspector --cli`: a process per question, as a person or a script uses it. */
export const inspector = kindOf('Inspector CLI', 'legacy');
export const inspectorModern = kindOf('Inspector CLI, modern', 'modern');

function kindOf(name: string, era: ClientKind['era']): ClientKind {
  return {
    name,
    era,
    open: async (target) => ({
      list: async () => {
        const { tools } = (await ask(target, era, ['tools/list'])) as { tools: { name: string }[] };
        return tools.map((tool) => tool.name).toSorted();
      },
      call: async (tool, args) => {
        const words = ['tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(args)];
        return toolTextOf(await ask(target, era, words));
      },
      close: async () => {},
    }),
  };
}

async function ask(target: ClientTarget, era: string, words: readonly string[]): Promise<unknown> {
  const main = join(checkoutRoot(), 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js');
  const where = ['--server-url', target.endpoint, '--transport', 'http', '--protocol-era', era];
  const header = ['--header', `Authorization: Bearer ${target.token}`];
  const args = [main, '--cli', ...where, ...header, '--quiet', '--stored-auth-only', '--method', ...words];
  const { stdout } = await run(process.execPath, args, {
    cwd: target.homeDir,
    env: ownEnvironment(target.homeDir),
    timeout: RUN_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}
