import { residentMiB } from '../cpu-time.js';
import { type AuditScene, type AuditService, setAuditScene, storedBy } from './audit-scene.js';
import { RecordGenerator } from './generated-records.js';
import { INGEST_ONLY } from './ingest-bench.js';
import { publishSteadily } from './publish-records.js';
import type { Report } from './report.js';
import { slopeOf } from './slope.js';

const LOOK_EVERY_MS = 10_000;
/** MiB that the service may grow in an hour and still count as flat: less than the collector's own ups and downs. */
const FLAT_MIB_PER_MINUTE = 0.5;
/** Seconds of records that may wait at the end. */
const LAG_SECONDS_MAX = 5;
const SEED = 4;

export interface SoakPlan {
  readonly minutes: number;
  readonly perSecond: number;
}

/** What is known of the service at one time. */
interface Look {
  readonly minute: number;
  readonly residentMiB: number;
  readonly stored: number;
}

/** Feeds the audit service for a long time at one rate, and watches its memory and how far it is behind. */
export async function runSoak({ minutes, perSecond }: SoakPlan, { print, check }: Report): Promise<void> {
  const scene = await setAuditScene();
  try {
    // The core that publishes has room left, and a database has a machine of its own.
    scene.pinPostgres('0,1');
    const service = await scene.startService(INGEST_ONLY);
    print(`soak: ${perSecond} records/s for ${minutes} minutes`);
    const { looks, sent } = await watched(scene, service, { minutes, perSecond });
    const last = looks.at(-1)!;
    const secondHalf = looks.filter(({ minute }) => minute >= minutes / 2);
    const slope = slopeOf(secondHalf.map(({ minute, residentMiB: y }) => [minute, y]));
    const memory = secondHalf.map((look) => look.residentMiB);
    print(
      `memory over the second half: ${Math.min(...memory).toFixed(0)} to ${Math.max(...memory).toFixed(0)} MiB, ` +
        `fitted ${slope >= 0 ? '+' : ''}${slope.toFixed(2)} MiB/min`,
    );
    print(
      `sent ${sent} records (${(sent / minutes / 60).toFixed(0)}/s), stored ${last.stored}, behind ${sent - last.stored}`,
    );
    check(`memory flat, at most ${FLAT_MIB_PER_MINUTE} MiB/min over the second half`, slope <= FLAT_MIB_PER_MINUTE);
    check(`at most ${LAG_SECONDS_MAX} s behind at the end`, sent - last.stored <= LAG_SECONDS_MAX * perSecond);
  } finally {
    await scene.stop();
  }
}

async function watched(
  scene: AuditScene,
  service: AuditService,
  { minutes, perSecond }: SoakPlan,
): Promise<{ readonly looks: readonly Look[]; readonly sent: number }> {
  const stop = publishSteadily(scene.bus, new RecordGenerator(SEED), perSecond);
  const fromMs = performance.now();
  const looks: Look[] = [];
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const minute = (performance.now() - fromMs) / 60_000;
    looks.push({ minute, residentMiB: residentMiB(service.pid), stored: await storedBy(service) });
    const { residentMiB: mib, stored } = looks.at(-1)!;
    process.stderr.write(`minute ${minute.toFixed(1)}: ${mib.toFixed(0)} MiB, ${stored} stored\n`);
    if (minute >= minutes) break;
  }
  const sent = await stop();
  return { looks, sent };
}
