import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { AuditScene, AuditService, ServiceOptions } from './audit-scene.js';
import type { Report } from './report.js';

const SETTLE_MS = 3_000;
const BOTH_CPUS = '0,1';

/** Starts database and service anew, and drops what the page cache holds: in memory is what their start read. */
export async function startCold(
  scene: AuditScene,
  options: ServiceOptions,
  print: Report['print'],
): Promise<AuditService> {
  await scene.restartPostgres();
  scene.pinPostgres(BOTH_CPUS);
  const service = await scene.startService(options);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  spawnSync('sync');
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  } catch {
    print('the page cache could not be dropped: only root may');
  }
  return service;
}
