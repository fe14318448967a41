import { BUILT_IN_PACKS, createEngine } from '@warder/detectors';

/** Characters of each text, and the milliseconds of CPU that one detector may take for it. */
const CHARS = 65_536;
const LIMIT_MS = 20;
const RUNS = 3;

/** What made rules of other collections quadratic, and the starts of phrases over and over. */
const SEEDS = [
  'a',
  'aGVsbG8gd29ybGQg',
  'a.',
  ' ',
  '\n',
  '"',
  '1',
  '12 ',
  '1.',
  'a:',
  'aa:bb:',
  '@',
  'a@a.co ',
  '+1 ',
  '://',
  'https://a:',
  '](http',
  '](https://a/?a=',
  '<!--',
  '<span hidden>',
  'ignore all the your ',
  'ignore previous ',
  'do not tell the ',
  'before you do x ',
  'send all the your x ',
  'include the x to ',
  'when using x ',
  'the user has ',
  'password=',
  'token: ',
  'adafruit ',
  'api_key is ',
  'machine a login b ',
  'kind: secret ',
  'data: a: ',
  'date of birth ',
  'vin: ',
  'passport no ',
  'AKIA',
  'eyJa.',
  '-----BEGIN PRIVATE KEY-----',
  'i g n o r e ',
  ' eht ',
  ' gur ',
  'th3 ',
  '%41',
  '&#65;',
  '\\u0041',
  'IgnoreAllThe',
  '\u200b',
  'é',
  'а',
  '\u{e0041}',
] as const;

const cpuMs = (work: () => void): number => {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
};

/** The slowest text of each detector, best of three runs, those beyond the limit first. */
function slowest(): { readonly id: string; readonly seed: string; readonly ms: number }[] {
  return Object.entries(BUILT_IN_PACKS)
    .flatMap(([pack, ids]) => ids.map((id) => ({ pack, id })))
    .map(({ pack, id }) => {
      const engine = createEngine([{ version: 1, status: 'active', pack, detectors: [id] }]);
      const times = SEEDS.map((seed) => {
        const text = seed.repeat(Math.ceil(CHARS / seed.length)).slice(0, CHARS);
        engine.scan(text.slice(0, 2_048));
        const runs = Array.from({ length: RUNS }, () => cpuMs(() => void engine.scan(text)));
        return { id, seed, ms: Math.min(...runs) };
      });
      return times.reduce((worst, each) => (each.ms > worst.ms ? each : worst));
    })
    .sort((one, other) => other.ms - one.ms);
}

const all = slowest();
const beyond = all.filter(({ ms }) => ms > LIMIT_MS);
for (const { id, seed, ms } of beyond.length > 0 ? beyond : all.slice(0, 10)) {
  process.stdout.write(`${ms.toFixed(1)} ms  ${id}  ${JSON.stringify(seed)}\n`);
}
process.stdout.write(
  `${all.length} detectors, ${SEEDS.length} texts of 64 KB each, ${beyond.length} beyond ${LIMIT_MS} ms\n`,
);
process.exitCode = beyond.length > 0 ? 1 : 0;
