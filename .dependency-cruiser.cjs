/**
 * Direction: apps -> adapter -> core -> contract. Nothing points back.
 * The layer of a lib stands in its package.json ("warder": { "layer": "core" }), so that a new lib is guarded from its first file.
 */
const { readdirSync, readFileSync } = require('node:fs');

const LAYERS = ['contract', 'core', 'adapter', 'testing'];
const layerOf = Object.fromEntries(
  readdirSync('libs').map((lib) => {
    const layer = JSON.parse(readFileSync(`libs/${lib}/package.json`, 'utf8')).warder?.layer;
    if (!LAYERS.includes(layer))
      throw new Error(`libs/${lib}/package.json names no layer ("warder": { "layer": ${LAYERS.join(' | ')} })`);
    return [lib, layer];
  }),
);
const libs = (...layers) =>
  `^libs/(${
    Object.keys(layerOf)
      .filter((lib) => layers.includes(layerOf[lib]))
      .join('|') || '-'
  })/`;
const FRAMEWORK =
  'node_modules/(@nestjs|rxjs|reflect-metadata|typeorm|pg|kafkajs|node-vault|undici|express|fastify)(/|$)';
// A scene is what the specs of its folder share: `scenes-stay-in-tests` keeps it out of what runs.
const TESTS = '\\.(spec|scene)\\.ts$';
const RIM = '(\\.(module|controller|consumer|entity|store|spec|scene)\\.ts|/(main|migrations/[^/]+)\\.ts)$';

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Split the file, or move the shared part down a layer.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contracts-stand-alone',
      comment: 'A wire contract knows no code of ours.',
      severity: 'error',
      from: { path: libs('contract') },
      to: { path: `${libs('core', 'adapter', 'testing')}|^apps/` },
    },
    {
      name: 'core-is-pure',
      comment: 'A decision does no I/O and knows no framework.',
      severity: 'error',
      from: { path: libs('core'), pathNot: TESTS },
      to: { path: `${FRAMEWORK}|${libs('adapter', 'testing')}|^apps/` },
    },
    {
      name: 'core-has-no-builtins',
      severity: 'error',
      from: { path: libs('core'), pathNot: TESTS },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|zlib)$' },
    },
    { name: 'libs-know-no-app', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'testing-stays-in-tests',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `${TESTS}|${libs('testing')}` },
      to: { path: libs('testing') },
    },
    {
      name: 'scenes-stay-in-tests',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'nest-stops-at-the-rim',
      comment:
        'Modules, controllers, consumers, entities, stores and main.ts know frameworks; the rest is plain TypeScript.',
      severity: 'error',
      from: { path: '^apps/[^/]+/src/', pathNot: RIM },
      to: { path: FRAMEWORK },
    },
    {
      name: 'apps-meet-only-on-the-wire',
      comment: 'Services talk by topic or HTTP; only standalone composes them.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-by-front-door',
      comment: 'Import a lib by its name, not by a deep path.',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/(?!index\\.ts$)', pathNot: '^libs/$2/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '((index|main)\\.ts|\\.d\\.ts|\\.cjs)$' },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@warder/source', 'import', 'node', 'default'],
    },
  },
};
