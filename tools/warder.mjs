// `npm run warder -- audit verify ...`: the command line of operators and auditors, built when it is stale.
import { prepare } from './prepare.mjs';

const target = 'apps/cli';
if (prepare(target)) await import(new URL(`../${target}/dist/main.js`, import.meta.url).href);
