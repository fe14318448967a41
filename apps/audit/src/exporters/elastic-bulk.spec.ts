import { FakeElasticBulk, type FakeElasticOptions } from '@warder/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Destination } from './destination.js';
import { createElasticBulk } from './elastic-bulk.js';
import { ElasticBulkSettings } from './elastic-bulk-settings.js';
import { deadline, exportRecord, exportRecords, ExportScene, HOSTILE, WAIT } from './http-destination.scene.js';

const API_KEY = 'Y2FuYXJ5OmNhbmFyeS1hcGkta2V5';

let scene: ExportScene;
beforeEach(() => {
  scene = new ExportScene();
});
afterEach(() => scene.end());

async function start(
  options: Partial<FakeElasticOptions> = {},
  settings: Partial<ElasticBulkSettings> = {},
): Promise<{ elastic: FakeElasticBulk; destination: Destination }> {
  const elastic = await FakeElasticBulk.start({
    authorization: `ApiKey ${API_KEY}`,
    target: 'logs-warder.audit-default',
    isDataStream: true,
    ...options,
  });
  scene.opens(elastic.receiver);
  const destination = createElasticBulk(
    ElasticBulkSettings.parse({
      kind: 'elastic-bulk',
      url: elastic.receiver.url,
      format: 'record',
      target: { kind: 'data-stream', name: 'logs-warder.audit-default' },
      apiKeyFile: scene.secretFile('key', API_KEY),
      ...settings,
    }),
    scene.context,
  );
  return { elastic, destination: scene.opens(destination) };
}

describe('Elasticsearch and OpenSearch by _bulk', () => {
  it('creates each document under the record id, with the time that a data stream asks for', async () => {
    const { elastic, destination } = await start();
    expect(await destination.send(exportRecords(3), deadline().signal)).toEqual([]);
    expect([...elastic.documents.keys()]).toEqual(exportRecords(3).map(({ key }) => key));
    const [first] = exportRecords(1);
    expect(elastic.documents.get(first?.key ?? '')).toBe(
      `{"@timestamp":"2026-09-21T14:13:20.000Z",${first?.text.slice(1)}`,
    );
    expect(elastic.receiver.requests[0]?.body.split('\n')[0]).toBe(`{"create":{"_id":"${first?.key}"}}`);
  });

  it('leaves the document to the byte as it is for an index, with basic authentication', async () => {
    const authorization = `Basic ${Buffer.from('warder:canary').toString('base64')}`;
    const { elastic, destination } = await start(
      { authorization, target: 'warder-audit', isDataStream: false },
      {
        target: { kind: 'index', name: 'warder-audit' },
        apiKeyFile: undefined,
        basicFile: scene.secretFile('basic', 'warder:canary'),
        gzip: true,
      },
    );
    await destination.send(exportRecords(1), deadline().signal);
    expect(elastic.documents.get(exportRecord(0).key)).toBe(exportRecord(0).text);
  });

  it('lets hostile texts arrive to the character and forges no document', async () => {
    const { elastic, destination } = await start();
    const batch = HOSTILE.map((hostile, n) => exportRecord(n, hostile));
    expect(await destination.send(batch, deadline().signal)).toEqual([]);
    expect(elastic.documents.size).toBe(batch.length);
    for (const { key, text } of batch) expect(elastic.documents.get(key)).toContain(text.slice(1));
  });

  it('takes numbers that a double cannot hold to the digit', async () => {
    const { elastic, destination } = await start();
    const record = exportRecord(1);
    const text = record.text.replace('"total":934', '"total":9007199254740993');
    await destination.send([{ ...record, text }], deadline().signal);
    expect(elastic.documents.get(record.key)).toContain('"total":9007199254740993');
  });

  it.each(['ecs', 'ocsf'] as const)(
    'writes %s documents of which a data stream takes every hostile one',
    async (format) => {
      const { elastic, destination } = await start({}, { format });
      const batch = HOSTILE.map((hostile, n) => exportRecord(n, hostile));
      expect(await destination.send(batch, deadline().signal)).toEqual([]);
      const documents = [...elastic.documents.values()].map((text) => JSON.parse(text) as Record<string, unknown>);
      expect(documents.map((document) => document['@timestamp'])).toEqual(Array(8).fill('2026-09-21T14:13:20.000Z'));
      expect([...elastic.documents.keys()]).toEqual(batch.map(({ key }) => key));
    },
  );

  it('counts what is already there as delivered, so nothing is doubled when an answer is lost', async () => {
    const { elastic, destination } = await start();
    elastic.receiver.faults.push('reset-after', 'reset-within', 'silent');
    const { signal, hit } = deadline();
    await expect(destination.send(exportRecords(4), signal)).rejects.toThrow(/socket|reset|aborted|terminated|closed/i);
    await expect(destination.send(exportRecords(4), signal)).rejects.toThrow(/socket|reset|aborted|terminated|closed/i);
    const silent = destination.send(exportRecords(4), signal);
    await expect.poll(() => elastic.receiver.requests.length, WAIT).toBe(3);
    hit();
    await expect(silent).rejects.toThrow('given up');
    expect(await destination.send(exportRecords(4), deadline().signal)).toEqual([]);
    expect(elastic.documents.size).toBe(4);
  });

  it('sends again only the records that were put off', async () => {
    const { elastic, destination } = await start();
    const batch = exportRecords(5);
    elastic.putOff.set(batch[1]?.key ?? '', 429);
    elastic.putOff.set(batch[3]?.key ?? '', 503);
    const { failures, refused } = await scene.sendUntilTaken(destination, batch);
    expect(failures).toEqual(['the receiver put records off (503 es_rejected_execution_exception)']);
    expect(refused).toEqual([]);
    expect(elastic.documents.size).toBe(5);
    const again = elastic.receiver.requests[1]?.body.match(/"_id":"[^"]+"/g);
    expect(again).toEqual([`"_id":"${batch[1]?.key}"`, `"_id":"${batch[3]?.key}"`]);
  });

  it('refuses for good a document that does not fit its mapping, once, also when others are put off', async () => {
    const { elastic, destination } = await start();
    const batch = exportRecords(4);
    elastic.refuses = ({ recordId }) => (recordId === batch[0]?.key ? 'document_parsing_exception' : undefined);
    elastic.putOff.set(batch[2]?.key ?? '', 429);
    const { failures, refused } = await scene.sendUntilTaken(destination, batch);
    expect(failures.length).toBe(1);
    expect(refused).toEqual([{ record: batch[0], reason: 'the receiver refuses it (400 document_parsing_exception)' }]);
    expect(elastic.documents.size).toBe(3);
  });

  it('keeps the batch for an operator where key or index are wrong, or one item is forbidden', async () => {
    const wrongKey = await start({}, { apiKeyFile: scene.secretFile('other', 'b3RoZXI=') });
    const wrongIndex = await start({}, { target: { kind: 'index', name: 'another' } });
    const forbidden = await start();
    forbidden.elastic.putOff.set(exportRecord(0).key, 403);
    const send = ({ destination }: { destination: Destination }) =>
      destination.send(exportRecords(1), deadline().signal);
    await expect(send(wrongKey)).rejects.toThrow('the receiver answered 401');
    await expect(send(wrongIndex)).rejects.toThrow('the receiver answered 404');
    await expect(send(forbidden)).rejects.toThrow('put records off (403');
  });

  it('halves what is too long, waits as long as the receiver asks, and believes no answer that misses records', async () => {
    const { elastic, destination } = await start({ bodyBytesMax: 6_000 });
    expect(await destination.send(exportRecords(9), deadline().signal)).toEqual([]);
    expect(elastic.documents.size).toBe(9);
    elastic.receiver.faults.push({ status: 429, headers: { 'retry-after': '30' }, body: '' });
    await expect(destination.send([exportRecord(20)], deadline().signal)).rejects.toThrow('429');
    const before = elastic.receiver.requests.length;
    scene.nowMs += 29_000;
    await expect(destination.send([exportRecord(20)], deadline().signal)).rejects.toThrow('left alone for 1000 ms');
    expect(elastic.receiver.requests.length).toBe(before);
    scene.nowMs += 1_000;
    elastic.receiver.faults.push({ status: 200, body: '{"errors":false,"items":[]}' }, { status: 200, body: '<html>' });
    const { failures } = await scene.sendUntilTaken(destination, [exportRecord(20)]);
    expect(failures).toEqual(Array(2).fill('the receiver did not answer for every record'));
    expect(elastic.documents.size).toBe(10);
  });

  it('shows the key in no error, state or log line', async () => {
    const { elastic, destination } = await start();
    elastic.receiver.faults.push({ status: 500, body: API_KEY }, 'reset-before', { status: 401, body: API_KEY });
    const { failures } = await scene.sendUntilTaken(destination, exportRecords(1));
    expect(failures.length).toBe(3);
    expect(JSON.stringify([failures, destination.state(), scene.logged])).not.toContain(API_KEY);
  });
});

describe('settings of _bulk', () => {
  const settings = { kind: 'elastic-bulk', url: 'https://search.example', target: { kind: 'index', name: 'audit' } };

  it.each(['Upper', '_leading', 'a/b', 'a,b', '..', ''])('refuse the index %j', (name) => {
    expect(ElasticBulkSettings.safeParse({ ...settings, target: { kind: 'index', name } }).success).toBe(false);
  });

  it.each([
    'http://search.example',
    'https://user:secret@search.example',
    'https://search.example/?api_key=secret',
    'ftp://search.example',
  ])('refuse the address %s', (url) => {
    expect(ElasticBulkSettings.safeParse({ ...settings, url }).success).toBe(false);
  });

  it('take plain http where it is said, and two credentials never', () => {
    expect(ElasticBulkSettings.safeParse({ ...settings, url: 'http://search', allowPlainHttp: true }).success).toBe(
      true,
    );
    expect(ElasticBulkSettings.safeParse({ ...settings, apiKeyFile: 'a', basicFile: 'b' }).success).toBe(false);
  });
});
