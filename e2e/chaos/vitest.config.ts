import { defineConfig } from 'vitest/config';

const conditions = ['@warder/source', 'node'];

// `npm run chaos`: minutes to hours, so it is no part of `npm test`, which has the story `10-chaos`.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // After a disagreement every later round would tell of it again.
  test: { include: ['e2e/chaos/*.slow.spec.ts'], bail: 1, disableConsoleIntercept: true },
});
