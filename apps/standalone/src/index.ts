export { type CommandLine, parseCommandLine } from './command-line.js';
export { openDataDirectory } from './data-directory.js';
export { composeServices, type Composition } from './standalone.module.js';
export { readStandaloneConfig } from './standalone-config.js';
export { startStandalone } from './start-standalone.js';
