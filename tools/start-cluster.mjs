// `npm run start:cluster`: what docker-compose.yml says, as plain processes on this machine. Data under .warder/cluster.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './prepare.mjs';

if (prepare('apps/standalone', 'apps/balancer', 'libs/testing')) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`warder cluster: ${error.message.replaceAll('\n', ' ')}\n`);
    process.exit(1);
  }
}

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({ options: { port: text, 'data-dir': text } });
  const { startCluster } = await import('../libs/testing/dist/index.js');
  const cluster = await startCluster({
    dataDir: resolve(values['data-dir'] ?? '.warder/cluster'),
    port: Number(values.port ?? 8080),
  });
  process.stdout.write(cluster.service('welcome').logs());
  process.stdout.write(`  Logs: ${join(cluster.dataDir, 'logs')}\n`);
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    process.stderr.write('warder cluster: stopping ...\n');
    cluster.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Nothing else keeps this process: its children are waited for by signal only.
  setInterval(() => {}, 60_000);
}
