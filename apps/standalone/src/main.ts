import 'reflect-metadata';
import { orExit } from '@warder/service-host';
import { parseCommandLine } from './command-line.js';
import { startStandalone } from './start-standalone.js';

await orExit('standalone', () => startStandalone(parseCommandLine(process.argv.slice(2), process.cwd())));
