import { generateKeyPairSync, randomInt } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { auditVerify } from './audit-verify.js';
import { HonestLog, recordText, writeExport } from './exported.scene.js';
import type { LogReport } from './verify/finding.js';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', ''];
  const code = await auditVerify(args, { out: (text) => void (out += text), error: (text) => void (error += text) });
  return { code, out, error };
}

interface Verified {
  readonly code: number;
  readonly report: LogReport;
  /** What is said against the log: word and index. */
  readonly said: readonly (readonly [string, number | undefined])[];
}

async function verify(
  log: HonestLog,
  { records = log.records, checkpoints = log.checkpoints }: { records?: string[]; checkpoints?: string[] } = {},
): Promise<Verified> {
  const files = { 'checkpoints.ndjson': checkpoints, 'records.ndjson': records };
  const dir = writeExport(files, { 'ingress.pub': log.keys.publicKey });
  dirs.push(dir);
  const { code, out } = await run(dir, '--json');
  const report = (JSON.parse(out) as { logs: LogReport[] }).logs[0]!;
  const said = report.findings.map(({ what, index }) => [what, index] as const);
  return { code, report, said };
}

const threeRanges = (): HonestLog =>
  new HonestLog().append(7).checkpoint().append(12).checkpoint().append(5).checkpoint();
const renumbered = (text: string, index: number): string => text.replace(/"index":\d+/, `"index":${index}`);
const erased = (text: string): string => text.replace(/,"personal":.*$/, ',"personal":null}');

describe('an honest export', () => {
  it('is proved whole, in any order of lines and files', async () => {
    const log = threeRanges();
    const { code, report } = await verify(log, {
      records: log.records.toReversed(),
      checkpoints: log.checkpoints.toReversed(),
    });
    expect([code, report]).toEqual([
      0,
      {
        log: 'n1/0abc',
        from: 0,
        to: 24,
        records: 24,
        checkpoints: 3,
        erased: 0,
        signers: ['ingress.pub'],
        findings: [],
      },
    ]);
  });

  it('is proved with personal parts erased, which are counted', async () => {
    const log = threeRanges();
    const { code, report } = await verify(log, {
      records: log.records.map((text, n) => (n % 3 === 0 ? erased(text) : text)),
    });
    expect([code, report.erased, report.findings]).toEqual([0, 8, []]);
  });

  it('is proved from the middle on, by the checkpoint where it begins', async () => {
    const log = threeRanges();
    const checkpoints = [`{"base":${log.checkpoints[0]!}}`, ...log.checkpoints.slice(1)];
    const { code, report } = await verify(log, { records: log.records.slice(7), checkpoints });
    expect([code, report.from, report.to, report.records, report.findings]).toEqual([0, 7, 24, 17, []]);
  });

  it('is proved where a checkpoint names again what an earlier one named', async () => {
    const log = new HonestLog().append(4).checkpoint().append(3).checkpoint();
    const other = new HonestLog().append(7);
    const again = other.checkpoint(log.keys.privateKey).checkpoints[0]!;
    expect((await verify(log, { checkpoints: [...log.checkpoints, again] })).said).toEqual([]);
  });

  it('says which records no checkpoint names yet, and which numbers are missing and told', async () => {
    const log = new HonestLog().append(2).append(1, { sequence: 6 });
    log.append(1, { sequence: 7, kind: 'gap', told: { lostFrom: 3, lostTo: 4 } }).append(1, { sequence: 9 });
    const { code, report } = await verify(log.checkpoint().append(2, { sequence: 10 }));
    expect(code).toBe(0);
    expect(report.findings.map(({ what, text }) => `${what}: ${text}`)).toEqual([
      'not-covered: 2 records are newer than the last checkpoint',
      'sequence-missing: the sequence numbers 3-5, 8 have no record: their operations may still have run',
    ]);
  });

  it('is proved from where its tree begins, behind records that were there before, and says where that is', async () => {
    for (const before of [1, 3, 5, 8]) {
      const log = new HonestLog('admin/policy', before).append(3).checkpoint().append(4).checkpoint();
      const { code, report } = await verify(log);
      expect([code, report.from, report.to, report.records]).toEqual([0, before, before + 7, 7]);
      expect(report.findings.map(({ weight, text }) => `${weight}: ${text}`)).toEqual([
        `notice: the tree begins at record ${before}: nothing is signed of the ${before} before it`,
      ]);
      const changed = log.records.with(1, log.records[1]!.replace('tool', 'took'));
      expect((await verify(log, { records: changed })).said).toContainEqual(['record-altered', before + 1]);
    }
  });

  it('is not proved to begin where a later checkpoint is the first one that is left', async () => {
    const log = new HonestLog('admin/policy', 3).append(3).checkpoint().append(4).checkpoint();
    const { code, said } = await verify(log, { checkpoints: log.checkpoints.slice(1), records: log.records.slice(3) });
    expect([code, said[0]]).toEqual([2, ['starts-later', undefined]]);
  });

  it('says of which services it holds no log, though their keys are known', async () => {
    const log = threeRanges();
    const keys = { 'ingress.pub': log.keys.publicKey, 'policy.pub': log.keys.publicKey, 'old.pub': log.keys.publicKey };
    const dir = writeExport({ 'all.ndjson': [...log.records, ...log.checkpoints] }, keys);
    dirs.push(dir);
    const { code, out } = await run(dir);
    const told = 'no log of policy is in the export, though its key is known [policy.pub]';
    expect([code, out.trimEnd().split('\n')]).toEqual([0, [expect.any(String), `-           ${told}`]]);
    expect(JSON.parse((await run(dir, '--json')).out)).toMatchObject({ withoutLog: ['policy.pub'] });
  });

  it('is read whatever a record holds, a line feed too', async () => {
    const log = threeRanges();
    const records = log.records.map((text, n) => (n === 3 ? JSON.stringify({ exactly: text }) : text));
    expect((await verify(log, { records })).code).toBe(0);
  });
});

describe('an export that was changed', () => {
  it.each([
    ['altered', (records: string[]) => records.with(9, records[9]!.replace('tool 9', 'tool x')), 'record-altered', 9],
    ['removed', (records: string[]) => records.toSpliced(9, 1), 'record-removed', 9],
    [
      'removed and those behind it renumbered',
      (records: string[]) => records.toSpliced(9, 1).map((text, n) => renumbered(text, n)),
      'record-removed',
      9,
    ],
    [
      'inserted beside one',
      (records: string[]) => records.toSpliced(9, 0, recordText(9, { sequence: 99 })),
      'record-inserted',
      9,
    ],
    [
      'inserted and those behind it renumbered',
      (records: string[]) =>
        records.toSpliced(9, 0, recordText(9, { sequence: 99, kind: 'forged' })).map((text, n) => renumbered(text, n)),
      'record-inserted',
      9,
    ],
    [
      'swapped with another',
      (records: string[]) => records.with(9, renumbered(records[15]!, 9)).with(15, renumbered(records[9]!, 15)),
      'record-reordered',
      9,
    ],
    [
      'swapped with its neighbour',
      (records: string[]) => records.with(9, renumbered(records[10]!, 9)).with(10, renumbered(records[9]!, 10)),
      'record-reordered',
      9,
    ],
    [
      'changed in its personal part',
      (records: string[]) => records.with(9, records[9]!.replace('salt-of', 'SALT-OF')),
      'personal-altered',
      9,
    ],
    [
      'extended behind its personal part',
      (records: string[]) => records.with(9, `${records[9]!.slice(0, -1)},"tool":"x"}`),
      'personal-altered',
      9,
    ],
    ['taken away as the last', (records: string[]) => records.slice(0, -1), 'record-removed', 23],
  ])('names the record that was %s', async (_how, change, what, index) => {
    const log = threeRanges();
    const { code, said } = await verify(log, { records: change(log.records) });
    expect([code, said[0]]).toEqual([1, [what, index]]);
  });

  it.each([
    ['a missing checkpoint', (lines: string[]) => lines.toSpliced(1, 1), 'checkpoint-missing', 7],
    [
      'an altered checkpoint',
      (lines: string[]) => lines.with(1, lines[1]!.replace('"size":19', '"size":18')),
      'checkpoint-altered',
      undefined,
    ],
    [
      'a checkpoint of another time',
      (lines: string[]) => lines.with(1, lines[1]!.replace('"atMs":1790000000000', '"atMs":1790000000001')),
      'checkpoint-altered',
      undefined,
    ],
  ])('says that there is %s', async (_how, change, what, index) => {
    const log = threeRanges();
    const { code, said } = await verify(log, { checkpoints: change(log.checkpoints) });
    expect([code, said[0]]).toEqual([1, [what, index]]);
  });

  it('does not believe a whole history that another key signed', async () => {
    const forged = new HonestLog().append(6);
    const { code, said } = await verify(forged.checkpoint(generateKeyPairSync('ed25519').privateKey));
    expect([code, said.map(([what]) => what)]).toEqual([1, ['checkpoint-unsigned', 'no-checkpoint']]);
  });

  it('says that a log has two histories that one key signed', async () => {
    const log = new HonestLog().append(6).checkpoint();
    const other = new HonestLog().append(5).append(1, { kind: 'forged' }).checkpoint(log.keys.privateKey);
    const { code, said } = await verify(log, { checkpoints: [...log.checkpoints, ...other.checkpoints] });
    expect([code, said[0]]).toEqual([1, ['checkpoint-forked', 5]]);
  });

  it('believes the key of its service alone where that is known', async () => {
    const log = new HonestLog('admin/policy').append(3).checkpoint();
    const stranger = generateKeyPairSync('ed25519').publicKey;
    const dir = writeExport(
      { 'all.ndjson': [...log.records, ...log.checkpoints] },
      { 'ingress.pub': log.keys.publicKey, 'policy.pub': stranger },
    );
    dirs.push(dir);
    expect((await run(dir)).code).toBe(1);
  });

  it('says of a log without a checkpoint that it is not proved', async () => {
    const { code, said } = await verify(new HonestLog().append(3));
    expect([code, said]).toEqual([2, [['no-checkpoint', undefined]]]);
  });

  it('names a line that is nothing', async () => {
    const log = threeRanges();
    const dir = writeExport(
      { 'all.ndjson': [...log.records, 'not JSON', ...log.checkpoints] },
      { 'ingress.pub': log.keys.publicKey },
    );
    dirs.push(dir);
    const { code, out } = await run(dir);
    expect([code, out]).toEqual([1, expect.stringContaining('neither a record nor a checkpoint [all.ndjson:25]')]);
  });

  it('is found out whatever is done at whatever place', async () => {
    const seed = Number(process.env.WARDER_SEED ?? randomInt(2 ** 31));
    console.log(`verify: WARDER_SEED=${seed}`);
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 60; round++) {
      const log = new HonestLog();
      for (let ranges = 2 + random(4); ranges > 0; ranges--) log.append(2 + random(30)).checkpoint();
      const count = log.records.length;
      const [at, other] = [random(count), random(count)];
      const bit = 1 + random(log.records[at]!.length - 2);
      const flipped =
        log.records[at]!.slice(0, bit) + (log.records[at]![bit] === 'z' ? 'y' : 'z') + log.records[at]!.slice(bit + 1);
      const ways: [string, string[]][] = [
        ['a byte', log.records.with(at, flipped)],
        ['a removal', log.records.toSpliced(at, 1)],
        ['a removal, renumbered', log.records.toSpliced(at, 1).map(renumbered)],
        ['an insertion, renumbered', log.records.toSpliced(at, 0, recordText(at, { sequence: 5_000 })).map(renumbered)],
        [
          'a swap',
          log.records.with(at, renumbered(log.records[other]!, at)).with(other, renumbered(log.records[at]!, other)),
        ],
      ];
      const [how, records] = ways[random(ways.length)]!;
      const { code, said } = await verify(log, { records });
      const isSame = how === 'a swap' && at === other;
      expect([how, round, code]).toEqual([how, round, isSame ? 0 : 1]);
      const first = how === 'a swap' ? Math.min(at, other) : at;
      const named = said.find(([what]) => what.startsWith('record-') || what === 'personal-altered');
      // A byte of the log's name or number makes another record of it, and then this one is missing.
      expect([how, round, named?.[1]]).toEqual([how, round, isSame ? undefined : first]);
    }
  }, 60_000);
});

describe('a bundle', () => {
  const log = threeRanges();
  const begin = '{"bundle":"begin"}';
  const end = '{"bundle":"end","records":24,"checkpoints":3,"missing":0}';
  const broken =
    '{"bundle":"broken","code":"WDR_ARCHIVE_UNREADABLE","message":"gone","log":"n1/0abc","from":7,"to":19}';
  const all = [...log.records, ...log.checkpoints];

  async function runOn(files: Record<string, readonly string[]>): Promise<{ code: number; incomplete: string[] }> {
    const dir = writeExport(files, { 'ingress.pub': log.keys.publicKey });
    dirs.push(dir);
    const { code, out } = await run(dir, '--json');
    return { code, incomplete: (JSON.parse(out) as { incomplete: string[] }).incomplete };
  }

  it('is proved whole by its two ends, and two of them by theirs', async () => {
    expect(await runOn({ 'a.ndjson': [begin, ...all, end] })).toEqual({ code: 0, incomplete: [] });
    const empty = '{"bundle":"end","records":0,"checkpoints":0,"missing":0}';
    expect(await runOn({ 'a.ndjson': [end, ...all], 'b.ndjson': [begin, begin, empty] })).toEqual({
      code: 0,
      incomplete: [],
    });
  });

  it.each([
    ['has no end', [begin, ...all], '1 of 1 bundles have no end: the rest was cut off'],
    ['has no beginning', [...all, end], '1 of 1 bundles have no beginning: a file is missing'],
    [
      'has less than its end says',
      [begin, ...log.records.slice(0, 19), ...log.checkpoints.slice(0, 2), end],
      'and only 19',
    ],
    [
      'left records out',
      [begin, ...all, `${end.slice(0, -1)},"unnamed":[{"log":"admin/policy","records":12}]}`],
      '12 records of admin/policy are left out: no checkpoint names them',
    ],
    ['broke off', [begin, ...all, broken], 'WDR_ARCHIVE_UNREADABLE at the records 7 to 18 of n1/0abc (gone)'],
  ])('is not proved that %s, though all that is there is', async (_how, lines, why) => {
    const { code, incomplete } = await runOn({ 'a.ndjson': lines });
    expect([code, incomplete[0]]).toEqual([2, expect.stringContaining(why)]);
    const dir = writeExport({ 'a.ndjson': lines }, { 'ingress.pub': log.keys.publicKey });
    dirs.push(dir);
    expect((await run(dir)).out).toContain(`NOT PROVED  the export is not whole: ${incomplete[0]}`);
  });

  it('takes an end of another form for no line of an export', async () => {
    const dir = writeExport({ 'a.ndjson': [...all, '{"bundle":"end"}'] }, { 'ingress.pub': log.keys.publicKey });
    dirs.push(dir);
    expect((await run(dir)).code).toBe(1);
  });
});

describe('the proof of one record', () => {
  const log = threeRanges();

  async function verifyProof(text: string): Promise<{ code: number; out: string; error: string }> {
    const dir = writeExport({}, { 'ingress.pub': log.keys.publicKey });
    dirs.push(dir);
    writeFileSync(join(dir, 'proof.json'), text);
    return run('--proof', join(dir, 'proof.json'));
  }

  it('holds for each record, erased or not', async () => {
    for (const index of [0, 6, 7, 18, 23]) {
      const { code, out } = await verifyProof(log.proofOf(index));
      expect([code, out]).toEqual([0, expect.stringContaining(`record ${index} of n1/0abc is proved: ingress.pub`)]);
    }
    const proof = JSON.parse(log.proofOf(5)) as { record: string };
    const { code, out } = await verifyProof(JSON.stringify({ ...proof, record: erased(proof.record) }));
    expect([code, out]).toEqual([0, expect.stringContaining('its personal part is erased')]);
  });

  it.each([
    ['record', (text: string) => text.replace('tool 5', 'tool 6')],
    ['personal part', (text: string) => text.replace('salt-of', 'SALT-OF')],
    ['place', (text: string) => text.replace('"index":5,"path"', '"index":4,"path"')],
    ['checkpoint', (text: string) => text.replace('"size":24', '"size":25')],
  ])('does not hold with another %s', async (_what, change) => {
    expect((await verifyProof(change(log.proofOf(5)))).code).toBe(1);
  });

  it('is not taken from a file that holds none', async () => {
    expect(await verifyProof('{}')).toMatchObject({
      code: 2,
      error: 'warder audit verify: the file is no proof of a record\n',
    });
  });
});

it.each([
  [[], 'warder audit verify DIR|FILE'],
  [['/nowhere/at/all'], 'no such file'],
  [['--unknown', 'x'], 'unknown'],
])('exits 2 for %j and says why', async (args, said) => {
  const { code, error } = await run(...args);
  expect([code, error.toLowerCase()]).toEqual([2, expect.stringContaining(said.toLowerCase())]);
});
