import { startEmbeddedPostgres } from '@warder/postgres';
import { drainOnSignal, exitOnFatal, type RunningHost, startHost, systemClock } from '@warder/service-host';
import { createLogger, type Logger } from '@warder/telemetry';
import { stringify } from 'yaml';
import type { CommandLine } from './command-line.js';
import { type DataDirectory, openDataDirectory } from './data-directory.js';
import { earlierSampleUrl } from './policy-at-start.js';
import { welcome } from './give-welcome.js';
import { writePrivateFile } from './private-file.js';
import { programOf, samplesDir, startSampleUpstream } from './sample-upstream.js';
import { readStandaloneConfig, type StandaloneConfig } from './standalone-config.js';
import { readOrMakeSigningKey } from './signing-key.js';
import { composeServices } from './standalone.module.js';

const READY_MS = 60_000;
const READY_EVERY_MS = 25;

/**
 * Starts everything in one process in front of the two sample upstreams, and tells a person (standard output) and a
 * script (`--ready-file`) how to use it.
 * @throws Error or ConfigError in one sentence; what was started by then ends with the process
 */
export async function startStandalone(line: CommandLine): Promise<void> {
  const config = readStandaloneConfig(line);
  const { policyFile, exporters, identity, connections, approvals } = config;
  const directory = openDataDirectory(line.dataDir);
  const log = createLogger('standalone', { level: config.settings.log.level, file: directory.logFile });
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    // First of all: it holds the lock of the data directory.
    const postgres = await startEmbeddedPostgres({ dataDir: directory.postgres, onExit: (words) => fatal(words) });
    undo.push(() => postgres.stop());
    const sample = await startSampleUpstream(earlierSampleUrl(directory.samplesFile), log);
    undo.push(() => sample.stop());
    writePrivateFile(directory.stdioFile, stdioYaml(config));
    const running = await startHost({
      service: 'standalone',
      settings: config.settings,
      signingKey: readOrMakeSigningKey(directory),
      log,
      module: (hostFor) =>
        composeServices(
          { directory, databaseUrl: postgres.url, policyFile, exporters, identity, connections, approvals },
          hostFor,
        ),
    });
    undo.push(() => running.stop());
    exitOnFatal(log);
    drainOnSignal(stop, log);
    await sample.answers();
    await greet({ line, directory, running, sampleUrl: sample.url, log });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Started {
  line: CommandLine;
  directory: DataDirectory;
  running: RunningHost;
  sampleUrl: string;
  log: Logger;
}

async function greet({ line, directory, running, sampleUrl, log }: Started): Promise<void> {
  await untilReady(running);
  await welcome({
    adminUrl: `${running.url}/admin`,
    publicUrl: running.hostFor('standalone').door.publicUrl(),
    sampleUrl,
    files: directory,
    readyFile: line.readyFile,
    where: `${directory.root}, ${directory.logFile}`,
  });
  log.info({ url: running.url }, 'started');
}

async function untilReady(running: RunningHost): Promise<void> {
  const stopAtMs = systemClock.monotonicMs() + READY_MS;
  for (;;) {
    const answer = await fetch(`${running.url}/readyz`);
    const text = await answer.text();
    if (answer.ok) return;
    if (systemClock.monotonicMs() > stopAtMs) throw new Error(`not ready within ${READY_MS / 1_000} s: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, READY_EVERY_MS));
  }
}

function stdioYaml(config: StandaloneConfig): string {
  const filesystem = {
    command: process.execPath,
    args: [programOf('@modelcontextprotocol/server-filesystem', 'mcp-server-filesystem'), samplesDir()],
  };
  return stringify({ filesystem, ...config.stdio });
}

function fatal(lastWords: string): never {
  throw new Error(`the embedded database ended: ${lastWords.trim().split('\n').at(-1) ?? ''}`);
}
