import { defineConfig } from 'vitest/config';

const conditions = ['@warder/source', 'node'];

// `npm run test:conformance`: fetches the tool and a newer Node first, so it is no part of `npm test`.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['e2e/conformance/*.slow.spec.ts'], testTimeout: 120_000, hookTimeout: 300_000 },
});
