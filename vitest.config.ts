import { defineConfig } from 'vitest/config';

const conditions = ['@warder/source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{apps,libs,e2e,bench,tools}/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['./libs/testing/src/kafka-global-setup.ts'],
    setupFiles: ['./vitest.setup.ts'],
  },
});
