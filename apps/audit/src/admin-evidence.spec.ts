import { generateKeyPairSync } from 'node:crypto';
import { renameSync } from 'node:fs';
import { CompactRange, leafHashOf, makeCheckpoint } from '@warder/merkle-log';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AdminEvidence } from './admin-evidence.scene.js';
import { quoted } from './archive/duck.js';
import { proofOf } from './evidence.js';

/** Acts of the three checkpoints: 0 to 4, 5 to 12, 13 to 16. */
const RANGES = [5, 8, 4];
const SIZE = 17;
const FORGED_ID = '0193673e-7c1f-7d5e-8a55-00000000f09e';
const HONEST = { code: 0, records: SIZE, erased: 0, first: undefined, incomplete: [] };
const BY = { principal: null, token: null, address: '' };

type Finding = readonly [what: string, index: number | undefined];

// An administrator must not be able to hide what an administrator did, whatever is in their hands behind the service.
describe('the evidence of admin acts', () => {
  const scene = new AdminEvidence();
  const query = (sql: string, values: unknown[] = []): Promise<unknown> => scene.source.query(sql, values);

  beforeAll(async () => {
    await scene.start(RANGES);
    await query('CREATE TABLE honest_record AS TABLE call_record');
    await query('CREATE TABLE honest_checkpoint AS TABLE checkpoint');
  }, 240_000);
  afterAll(() => scene.stop());

  const place = `(record->>'index')::int`;
  const change = (index: number, from: string, to: string): Promise<unknown> =>
    query(`UPDATE call_record SET record = replace(record::text, $1, $2)::json WHERE ${place} = $3`, [from, to, index]);
  /** Gives records another number, in both of its forms. */
  const renumber = (to: string, where: string): Promise<unknown> =>
    query(`UPDATE call_record SET sequence = ${to} + 1, record = regexp_replace(regexp_replace(record::text,
      '"index":[0-9]+', '"index":' || ${to}), '"sequence":[0-9]+', '"sequence":' || ${to} + 1)::json WHERE ${where}`);
  async function forgeBeside(index: number): Promise<void> {
    await query(`CREATE TEMP TABLE forged AS SELECT * FROM call_record WHERE ${place} = ${index}`);
    await query(`UPDATE forged SET record_id = '${FORGED_ID}',
      record = replace(record::text, 'grant.change', 'grant.forge')::json`);
    await query('INSERT INTO call_record SELECT * FROM forged');
    await query('DROP TABLE forged');
  }
  const remove = (index: number): Promise<unknown> => query(`DELETE FROM call_record WHERE ${place} = ${index}`);
  async function checkpointText(size: number): Promise<string> {
    const rows = await query(`SELECT checkpoint::text AS text FROM checkpoint WHERE size = ${size}`);
    return (rows as [{ text: string }])[0].text;
  }
  const setCheckpoint = (size: number, text: string): Promise<unknown> =>
    query('UPDATE checkpoint SET checkpoint = $1::json WHERE size = $2', [text, size]);

  /** Checkpoints that were removed whose acts are still there, wherever these lie. */
  function leftOut(): void {
    const left = (count: number): string => `${count} records of admin/policy are left out: no checkpoint names them`;
    it('counts the acts whose last checkpoint was removed, or all of them, as left out', async () => {
      await query('DELETE FROM checkpoint WHERE size = 17');
      expect(await scene.verified()).toMatchObject({ code: 2, records: 13, incomplete: [left(4)] });
      await query('DELETE FROM checkpoint');
      expect(await scene.verified()).toMatchObject({ code: 2, records: 0, incomplete: [left(SIZE)] });
      await query('INSERT INTO checkpoint SELECT * FROM honest_checkpoint');
    });

    it('counts the acts of a time as left out whose own checkpoints were removed, whatever later ones there are', async () => {
      await query('DELETE FROM checkpoint WHERE size IN (5, 13)');
      const ofFirstDays = await scene.bundle({ from: 0, to: 2 });
      expect(await scene.verified(ofFirstDays)).toMatchObject({ code: 2, incomplete: [left(13)] });
      await query('INSERT INTO checkpoint SELECT * FROM honest_checkpoint WHERE size = 5');
      expect(await scene.verified(await scene.bundle({ from: 0, to: 2 }))).toMatchObject({
        code: 2,
        records: 5,
        incomplete: [left(8)],
      });
      await query('INSERT INTO checkpoint SELECT * FROM honest_checkpoint WHERE size = 13');
      expect(await scene.verified(await scene.bundle({ from: 0, to: 2 }))).toMatchObject({ code: 0, records: 13 });
    });
  }

  describe('in Postgres', () => {
    afterEach(async () => {
      for (const [table, honest] of [
        ['call_record', 'honest_record'],
        ['checkpoint', 'honest_checkpoint'],
      ]) {
        await query(`DELETE FROM ${table}`);
        await query(`INSERT INTO ${table} SELECT * FROM ${honest}`);
      }
    });

    it('is proved whole where nobody touched it, and each act by itself', async () => {
      expect(await scene.verified()).toEqual(HONEST);
      const rows = (await query(`SELECT record::text AS text FROM call_record ORDER BY ${place}`)) as {
        text: string;
      }[];
      const proofs: string[] = [];
      for (const { text } of rows) proofs.push(await proofOf(text, scene.checkpoints));
      expect(proofs.map((proof) => (JSON.parse(proof) as { index: number }).index)).toEqual([...rows.keys()]);
      for (const index of [0, 4, 5, 12, SIZE - 1])
        expect(scene.verifiedProof(proofs[index]!)).toContain(`record ${index} of admin/policy is proved: policy.pub`);
    });

    it.each<[string, () => Promise<unknown>, ...Finding]>([
      ['deleted', () => remove(7), 'record-removed', 7],
      ['altered', () => change(7, 'grant.change-7', 'grant.change-8'), 'record-altered', 7],
      ['given to somebody else', () => change(7, 'usr_stays', 'usr_other'), 'record-altered', 7],
      ['altered in its personal part', () => change(7, 'words-of-7', 'words-of-8'), 'personal-altered', 7],
      ['inserted beside one', () => forgeBeside(7), 'record-inserted', 7],
      [
        'inserted, and those behind it renumbered',
        async () => {
          await renumber(`(${place} + 1)`, `${place} >= 7`);
          await forgeBeside(8);
          await renumber('7', `record_id = '${FORGED_ID}'`);
        },
        'record-inserted',
        7,
      ],
      [
        'deleted, and those behind it renumbered',
        async () => {
          await remove(7);
          await renumber(`(${place} - 1)`, `${place} > 7`);
        },
        'record-removed',
        7,
      ],
      ['swapped with a later one', () => renumber(`(16 - ${place})`, `${place} IN (7, 9)`), 'record-reordered', 7],
      ['deleted as the last', () => remove(SIZE - 1), 'record-removed', SIZE - 1],
    ])('names the first act that was %s', async (_how, tamper, what, index) => {
      await tamper();
      expect(await scene.verified()).toMatchObject({ code: 1, first: [what, index] });
    });

    it.each<[string, () => Promise<unknown>, ...Finding]>([
      ['removed', () => query('DELETE FROM checkpoint WHERE size = 13'), 'checkpoint-missing', 5],
      [
        'altered',
        async () => setCheckpoint(13, (await checkpointText(13)).replace('"leavesFrom":5', '"leavesFrom":6')),
        'checkpoint-altered',
        undefined,
      ],
      [
        'forged, of another history',
        () => {
          const range = new CompactRange();
          for (let n = 0; n < 13; n++) range.append(leafHashOf(Buffer.from(`forged ${n}`)));
          const state = { origin: 'admin/policy', range, leavesFrom: 5, leaves: Buffer.alloc(64), atMs: scene.nowMs };
          return setCheckpoint(13, JSON.stringify(makeCheckpoint(state, generateKeyPairSync('ed25519').privateKey)));
        },
        'checkpoint-unsigned',
        undefined,
      ],
      ['replaced by an older one', async () => setCheckpoint(13, await checkpointText(5)), 'checkpoint-missing', 5],
    ])('names the checkpoint that was %s', async (_how, tamper, what, index) => {
      await tamper();
      expect(await scene.verified()).toMatchObject({ code: 1, first: [what, index] });
    });

    leftOut();

    it('shows where a log stands that had nothing to sign in the time', async () => {
      const pieces: string[] = [];
      const [from, to] = [scene.nowMs, scene.nowMs + 1].map((ms) => new Date(ms).toISOString());
      for (const { text } of await scene.checkpoints.quietAdmin(from!, to!)) pieces.push(text);
      expect(pieces).toEqual([await checkpointText(SIZE)]);
      const first = JSON.parse(await checkpointText(5)) as { atMs: number };
      expect(await scene.checkpoints.quietAdmin(new Date(first.atMs).toISOString(), to!)).toEqual([]);
    });
  });

  it.each<[string, (lines: string[]) => string[], ...Finding]>([
    ['a line removed', (lines) => lines.filter((line) => !line.includes('"index":7,')), 'record-removed', 7],
    ['a line altered', (lines) => lines.map((line) => line.replace('change-7"', 'change-8"')), 'record-altered', 7],
    [
      'a line inserted',
      (lines) =>
        lines.flatMap((line) => (line.includes('"index":7,') ? [line, line.replace('change-7', 'forge')] : line)),
      'record-inserted',
      7,
    ],
    [
      'two lines that changed their numbers',
      (lines) => lines.map((line) => line.replace(/"index":([79]),/, (_, n) => `"index":${16 - Number(n)},`)),
      'record-reordered',
      7,
    ],
    ['a checkpoint removed', (lines) => lines.filter((line) => !line.includes('"size":13,')), 'checkpoint-missing', 5],
    [
      'a checkpoint altered',
      (lines) => lines.map((line) => line.replace('"size":13,', '"size":12,')),
      'checkpoint-altered',
      undefined,
    ],
  ])('is named in an export that had %s', async (_how, tamper, what, index) => {
    const lines = (await scene.bundle()).split('\n');
    expect(await scene.verified(tamper(lines).join('\n'))).toMatchObject({ code: 1, first: [what, index] });
  });

  describe('in Parquet', () => {
    beforeAll(() => scene.archiveAll(), 120_000);

    it('is proved whole when no act is left in Postgres', async () => {
      expect(await query(`SELECT count(*)::int AS count FROM call_record WHERE log = 'admin/policy'`)).toEqual([
        { count: 0 },
      ]);
      expect(await scene.verified()).toEqual(HONEST);
    });

    const replaced = (from: string, to: string): string =>
      `SELECT * REPLACE (replace(raw_data, ${quoted(from)}, ${quoted(to)}) AS raw_data) FROM honest`;
    it.each<[string, string, ...Finding]>([
      ['altered', replaced('change-7"', 'change-8"'), 'record-altered', 7],
      ['altered in its personal part', replaced('words-of-7', 'words-of-8'), 'personal-altered', 7],
      ['deleted', `SELECT * FROM honest WHERE raw_data NOT LIKE '%"index":7,%'`, 'record-removed', 7],
      [
        'inserted',
        `SELECT * FROM honest UNION ALL (${replaced('change-7"', 'forge"')} WHERE raw_data LIKE '%"index":7,%')`,
        'record-inserted',
        7,
      ],
      [
        'swapped with a later one',
        `SELECT * REPLACE (replace(replace(replace(raw_data, '"index":7,', '"index":x,'), '"index":9,', '"index":7,'),
          '"index":x,', '"index":9,') AS raw_data) FROM honest`,
        'record-reordered',
        7,
      ],
    ])('names the first act that was %s', async (_how, select, what, index) => {
      const file = (await scene.files())[1]!;
      renameSync(file, `${file}.honest`);
      try {
        await scene.duck.connection.run(
          `COPY (WITH honest AS (FROM read_parquet(${quoted(`${file}.honest`)})) ${select}) TO ${quoted(file)} (FORMAT parquet)`,
        );
        expect(await scene.verified()).toMatchObject({ code: 1, first: [what, index] });
      } finally {
        renameSync(`${file}.honest`, file);
      }
    });

    it('names the first act of a day that was removed', async () => {
      const file = (await scene.files())[1]!;
      renameSync(file, `${file}.honest`);
      expect(await scene.verified()).toMatchObject({ code: 1, first: ['record-removed', 5] });
      renameSync(`${file}.honest`, file);
    });

    leftOut();

    it('stays proved when who acted is erased, whose words are then nowhere', async () => {
      await scene.erasures.request({ subject: 'usr_gone', reason: 'asked for it' }, BY);
      await scene.keep();
      expect(await scene.verified()).toEqual({ ...HONEST, erased: 4 });
      const text = await scene.bundle();
      expect(text).not.toContain('words-of-6');
      const erased = text.split('\n').find((line) => line.includes('"index":6,'))!;
      expect(scene.verifiedProof(await proofOf(erased, scene.checkpoints))).toContain('its personal part is erased');
    });
  });
});
