import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  moveNamed,
  type MoveOptions,
  type MoveProgress,
  moveSealed,
  openSecretStore,
  removeMoved,
  sealedColumns,
  sealedRowsOf,
  type SecretStore,
  SecretsSettings,
} from '@warder/secrets';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Output } from './audit-verify.js';
import { openInPlaceOfService } from './credentials-database.store.js';

export const MIGRATE_USAGE = `warder secrets migrate --from embedded|vault --to vault|embedded --config FILE [--remove]

Moves every secret from one store to the other, each verified in the new one: named secrets, and the sealed values of the
database. Stop the credentials service before, give it the other \`secrets.store\` after. Broken off, it can be begun again.
--config   YAML of the credentials service: database.url and, under secrets, the settings of both stores
--remove   removes named secrets from the old store once the new one holds all of them
Exit 0: everything is moved. 1: something could not be moved, and is named. 2: it could not be done.
`;

/** What a program that is no person reads. */
export const MigrateExit = { moved: 0, incomplete: 1, undone: 2 } as const;

/** Of the credentials service's file; what else stands there is not looked at. */
const MigrateConfig = z.object({ database: z.object({ url: z.string().min(1) }), secrets: SecretsSettings });
const Kind = z.enum(['embedded', 'vault']);
/** Lines of progress: one for so many values. */
const TELL_EVERY = 1_000;

/** Runs `warder secrets migrate`. @returns the exit code */
export async function secretsMigrate(args: readonly string[], output: Output): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        config: { type: 'string' },
        remove: { type: 'boolean' },
      },
    });
    const [from, to] = [Kind.safeParse(values.from), Kind.safeParse(values.to)];
    if (!from.success || !to.success || from.data === to.data || values.config === undefined) {
      output.error(MIGRATE_USAGE);
      return MigrateExit.undone;
    }
    const config = readConfig(values.config);
    const stores: SecretStore[] = [];
    try {
      for (const kind of [from.data, to.data])
        stores.push(await openSecretStore({ ...config.secrets, create: kind === to.data }, kind));
      const [source, target] = stores as [SecretStore, SecretStore];
      return await move(source, target, config.database.url, values.remove === true, output);
    } finally {
      for (const store of stores) await store.close();
    }
  } catch (failure) {
    output.error(`warder secrets migrate: ${(failure as Error).message}\n`);
    return MigrateExit.undone;
  }
}

async function move(from: SecretStore, to: SecretStore, url: string, isToRemove: boolean, output: Output) {
  for (const store of [from, to]) {
    const { state, detail } = await store.health();
    if (state !== 'ok') throw new Error(`the ${store.kind} store is ${state}: ${detail ?? ''}`);
  }
  const database = await openInPlaceOfService(url);
  try {
    const { query } = database;
    let failed = 0;
    const options = (what: string): MoveOptions => ({
      from,
      to,
      tell: (progress) => {
        if (progress.done % TELL_EVERY === 0) output.out(lineOf(what, progress));
      },
      onFailed: (which, error) => output.error(`not moved: ${which}: ${(error as Error).message}\n`),
    });
    const ended = (what: string, progress: MoveProgress) => {
      failed += progress.failed;
      output.out(lineOf(what, progress));
    };
    ended('named secrets', await moveNamed(options('named secrets')));
    for (const column of await sealedColumns(query)) {
      const what = `${column.schema}.${column.relation}.${column.attribute}`;
      ended(what, await moveSealed(sealedRowsOf(column, query), options(what)));
    }
    if (failed > 0) return MigrateExit.incomplete;
    if (isToRemove) output.out(`removed from the ${from.kind} store: ${await removeMoved(from, to)}\n`);
    return MigrateExit.moved;
  } finally {
    await database.close();
  }
}

function readConfig(file: string): z.infer<typeof MigrateConfig> {
  const found = MigrateConfig.safeParse(parse(readFileSync(file, 'utf8')));
  if (found.success) return found.data;
  const wrong = found.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  throw new Error(`${file}: ${wrong.join('; ')}`);
}

function lineOf(what: string, { total, done, moved, failed }: MoveProgress): string {
  return `${what}: ${done} of ${total}, ${moved} moved, ${done - moved - failed} there already, ${failed} failed\n`;
}
