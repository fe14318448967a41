import { defineConfig } from 'vitest/config';

const conditions = ['@warder/source', 'node'];
// A slow spec has a script of its own: it builds or downloads what `npm test` does without.
const exclude = ['**/node_modules/**', '**/dist/**', '**/*.slow.spec.ts'];

// They start whole clusters or hold promises counted in milliseconds, so each has the machine for itself.
const alone = [
  'e2e/stories/**/*.spec.ts',
  'apps/standalone/src/main.spec.ts',
  'apps/balancer/src/main.spec.ts',
  'apps/identity/src/sign-in/saml/saml-keycloak.spec.ts',
  'apps/ingress/src/ingress.outage.spec.ts',
  'libs/testing/src/{compose-cluster,compose-kafka,bus-groups,bus-kill}.spec.ts',
  'libs/testing/src/kafka-{bus,producer,consumer,access}.spec.ts',
  'libs/journal/src/journal-{kill,kafka,tree-kill}.spec.ts',
  'libs/postgres/src/admin-tree-kill.spec.ts',
];

export default defineConfig({
  resolve: { conditions },
  // Said here for scenes and specs too, which no package's tsconfig.json includes.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  ssr: { resolve: { conditions } },
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A comparison of hundreds of records shows its beginning.
    diff: { truncateThreshold: 40 },
    globalSetup: ['./libs/testing/src/kafka-global-setup.ts'],
    setupFiles: ['./vitest.setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: ['{apps,libs,e2e,bench,tools}/**/*.spec.ts'],
          exclude: [...exclude, ...alone],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          exclude,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
