import { AuditRecord } from '@warder/contracts';
import { expect, it } from 'vitest';
import { MANY_ADDRESSES, RefusalCounter } from './refusal-counter.js';

function counter(recordsPerWindowMax: number, append?: () => Promise<unknown>) {
  const records: AuditRecord[] = [];
  const write = async (text: string) => {
    records.push(
      AuditRecord.parse({ log: 'ingress-1/0', sequence: 1, commitment: '0'.repeat(64), ...JSON.parse(text) }),
    );
  };
  const bounds = { windowMs: 10_000, recordsPerWindowMax };
  const lost: unknown[] = [];
  const onLost = (code: string, count: number): void => void lost.push([code, count]);
  return { records, lost, counter: new RefusalCounter('ingress-1', bounds, () => 1_000, append ?? write, onLost) };
}

it('writes one record per code and address, with how many there were', async () => {
  const { records, counter: refusals } = counter(10);
  for (const address of ['10.0.0.1', '10.0.0.1', '10.0.0.2']) refusals.count('WDR_TOKEN_UNKNOWN', address, 'unknown');
  refusals.count('WDR_HOST_UNKNOWN', '10.0.0.1', 'Host: evil');
  await refusals.flush();
  await refusals.flush();
  expect(records.map(({ kind, personal, refusal, count }) => [kind, personal?.address, refusal?.code, count])).toEqual([
    ['authentication', '10.0.0.1', 'WDR_TOKEN_UNKNOWN', 2],
    ['authentication', '10.0.0.2', 'WDR_TOKEN_UNKNOWN', 1],
    ['protocol', '10.0.0.1', 'WDR_HOST_UNKNOWN', 1],
  ]);
});

it('leaves a bounded number of records however many addresses there are, and forgets no refusal', async () => {
  const { records, counter: refusals } = counter(10);
  for (let at = 0; at < 5_000; at += 1) refusals.count('WDR_TOKEN_UNKNOWN', `10.0.${at >> 8}.${at & 255}`, 'unknown');
  await refusals.flush();
  expect(records).toHaveLength(11);
  expect(records.find(({ personal }) => personal?.address === MANY_ADDRESSES)?.count).toBe(4_990);
});

it('says how many could not be written', async () => {
  const { counter: refusals, lost } = counter(10, async () => {
    throw new Error('full');
  });
  refusals.count('WDR_TOKEN_UNKNOWN', '10.0.0.1', 'unknown');
  refusals.count('WDR_TOKEN_UNKNOWN', '10.0.0.1', 'unknown');
  await refusals.flush();
  expect(lost).toEqual([['WDR_TOKEN_UNKNOWN', 2]]);
});

it('masks what a stranger wrote, which the detail quotes', async () => {
  const { records, counter: refusals } = counter(10);
  refusals.count('WDR_HOST_UNKNOWN', '10.0.0.1', 'Host: AKIAQ3EGRVZJXK7PLM2N.example');
  await refusals.flush();
  expect(records[0]?.personal?.refusalDetail).toBe('Host: [redacted:secret.aws-access-key].example');
});
