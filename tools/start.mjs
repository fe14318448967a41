// `npm start`: installs what is missing, builds what is stale, starts standalone. Plain Node, no dependency, and
// syntax that an old Node can read, so that it can say which one is needed.
import { prepare } from './prepare.mjs';

const target = 'apps/standalone';
if (prepare(target)) await import(new URL(`../${target}/dist/main.js`, import.meta.url).href);
