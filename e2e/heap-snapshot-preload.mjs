// Loaded into every process of a story (NODE_OPTIONS): on SIGUSR2 it writes its heap where E2E_HEAP_DIR says.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

const dir = process.env.E2E_HEAP_DIR;
if (isMainThread && dir !== undefined) {
  process.on('SIGUSR2', () => {
    const file = join(dir, `${process.pid}.heapsnapshot`);
    // Whoever waits for the name gets all of it; with numbers, for a property whose value is one would not be told of.
    renameSync(writeHeapSnapshot(`${file}.unfinished`, { exposeNumericValues: true }), file);
  });
}
