import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '@warder/service-host';

export interface CommandLine {
  /** 0: a free one. */
  port: number;
  dataDir: string;
  configFile: string | undefined;
  readyFile: string | undefined;
}

/**
 * Reads the flags of `npm start`.
 * @throws ConfigError naming the flag
 */
export function parseCommandLine(words: readonly string[], workingDir: string): CommandLine {
  const { values } = parse(words);
  const port = Number(values.port ?? '8080');
  if (!/^\d{1,5}$/.test(values.port ?? '8080') || port > 65_535)
    throw new ConfigError('--port: 0 to 65535, 0 for a free one');
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(workingDir, name));
  return {
    port,
    dataDir: resolve(workingDir, values['data-dir'] ?? '.warder'),
    configFile: path(values.config),
    readyFile: path(values['ready-file']),
  };
}

function parse(words: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({
      args: [...words],
      options: { port: text, 'data-dir': text, config: text, 'ready-file': text },
      strict: true,
      allowPositionals: false,
    });
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}
