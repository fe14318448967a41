import { defineConfig } from 'vitest/config';

const conditions = ['@warder/source', 'node'];

// `npm run test:collector`: builds a collector first (Go, minutes the first time), so it is no part of `npm test`.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['e2e/collector/*.slow.spec.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
