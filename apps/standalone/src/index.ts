export { type CommandLine, parseCommandLine } from './command-line.js';
export { startStandalone } from './start-standalone.js';
