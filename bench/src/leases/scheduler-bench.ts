import type { LeasesScene } from './leases-scene.js';
import { costOf, pause, type ProcessCost } from './process-cost.js';
import { makeDue } from './seed-connections.js';
import { LIFE_S } from './token-endpoint.js';

/** How far ahead of its end a token of an hour is had anew, on average, and so how often: refresh-schedule.ts. */
const REFRESHED_AFTER_MS = (LIFE_S * 1_000 * 3) / 4;
const SETTLE_MS = 10_000;

/**
 * What the refresh scheduler costs its process and the database: with nothing due, with tokens of an hour that fall due
 * one after the other, and with all of them due at once, as after an outage.
 * @returns whether those that fell due were all refreshed
 */
export async function benchScheduler(
  scene: LeasesScene,
  measureMs: number,
  say: (line: string) => void,
): Promise<boolean> {
  const { client, provider, cluster } = scene;
  say('credentials                    seconds  refreshes  per s   CPU %   CPU ms each   RSS MiB');
  const measured = async (what: string): Promise<{ count: number; cost: ProcessCost }> => {
    const before = provider.refreshes;
    const cost = await costOf(cluster.service('credentials'), () => pause(measureMs));
    const count = provider.refreshes - before;
    const columns = [
      cost.seconds.toFixed(0).padStart(7),
      String(count).padStart(10),
      (count / cost.seconds).toFixed(1).padStart(6),
      (cost.cpuShare * 100).toFixed(1).padStart(7),
      (count === 0 ? '-' : (cost.cpuMs / count).toFixed(1)).padStart(13),
      cost.residentMiB.toFixed(0).padStart(9),
    ];
    say(`${what.padEnd(30)} ${columns.join(' ')}`);
    return { count, cost };
  };
  await pause(SETTLE_MS);
  await measured('nothing is due');
  await makeDue(client, REFRESHED_AFTER_MS);
  await pause(SETTLE_MS);
  await measured('tokens of an hour');
  const { rows } = await client.query<{ late: number }>(
    `SELECT count(*)::int AS late FROM credentials.connection WHERE status = 'active' AND refresh_at_ms < $1::bigint`,
    [String(Date.now() - 10_000)],
  );
  await makeDue(client, 0);
  await pause(SETTLE_MS);
  await measured('all are due at once');
  await makeDue(client, 12 * LIFE_S * 1_000);
  const late = rows[0]?.late ?? 0;
  say(`connections that were due for over 10 s while tokens of an hour fell due: ${late}`);
  return late === 0;
}
