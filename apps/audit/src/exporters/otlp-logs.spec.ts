import { type FakeLogRecord, FakeOtlpReceiver } from '@warder/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Destination } from './destination.js';
import { deadline, exportRecord, exportRecords, ExportScene, HOSTILE } from './http-destination.scene.js';
import { createOtlpLogs } from './otlp-logs.js';
import { OtlpLogsSettings } from './otlp-logs-settings.js';

const KEY = 'canary-collector-key';

let scene: ExportScene;
beforeEach(() => {
  scene = new ExportScene();
});
afterEach(() => scene.end());

async function start(
  settings: Partial<OtlpLogsSettings> = {},
): Promise<{ collector: FakeOtlpReceiver; destination: Destination }> {
  const collector = await FakeOtlpReceiver.start({ name: 'x-api-key', value: KEY });
  scene.opens(collector.receiver);
  const destination = createOtlpLogs(
    OtlpLogsSettings.parse({
      kind: 'otlp-logs',
      url: collector.receiver.url,
      format: 'record',
      header: { name: 'X-Api-Key', valueFile: scene.secretFile('key', KEY) },
      ...settings,
    }),
    scene.context,
  );
  return { collector, destination: scene.opens(destination) };
}

const attribute = (record: FakeLogRecord | undefined, name: string) =>
  record?.attributes?.find(({ key }) => key === name)?.value;
const idsOf = (collector: FakeOtlpReceiver) =>
  collector.logs.map(({ record }) => attribute(record, 'log.record.uid')).map((value) => JSON.stringify(value));
const idOf = (key: string) => JSON.stringify({ stringValue: key });

describe('OTLP logs over HTTP', () => {
  it('writes attributes by the semantic conventions, 64-bit numbers as strings and trace ids in hex', async () => {
    const { collector, destination } = await start();
    const plain = exportRecord(1);
    const traced = { ...plain, record: { ...plain.record, traceId: '0af7651916cd43dd8448eb211c80319c' } };
    expect(await destination.send([traced], deadline().signal)).toEqual([]);
    const [log] = collector.logs;
    expect(log?.node).toBe('ingress-1');
    expect(log?.record).toMatchObject({
      timeUnixNano: '1790000000000000000',
      severityNumber: 9,
      severityText: 'INFO',
      eventName: 'warder.audit.call',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      body: { stringValue: plain.text },
    });
    expect(attribute(log?.record, 'log.record.uid')).toEqual({ stringValue: plain.key });
    expect(attribute(log?.record, 'mcp.method.name')).toEqual({ stringValue: 'tools/call' });
    expect(attribute(log?.record, 'mcp.protocol.version')).toEqual({ stringValue: '2026-07-28' });
    expect(attribute(log?.record, 'gen_ai.tool.name')).toEqual({ stringValue: 'echo' });
    expect(attribute(log?.record, 'gen_ai.operation.name')).toEqual({ stringValue: 'execute_tool' });
    expect(attribute(log?.record, 'warder.sequence')).toEqual({ intValue: '2' });
    expect(attribute(log?.record, 'error.type')).toBeUndefined();
  });

  it('names a resource for each node, leaves out a trace id that is none, and warns of a refusal', async () => {
    const { collector, destination } = await start({ gzip: true });
    const [a, b] = exportRecords(2) as [ReturnType<typeof exportRecord>, ReturnType<typeof exportRecord>];
    const forbidden = {
      ...b,
      record: {
        ...b.record,
        node: 'ingress-2',
        traceId: 'g'.repeat(32),
        decision: 'forbid' as const,
        outcome: 'failure' as const,
        refusal: { code: 'WDR_TOOL_UNKNOWN', detail: 'x' },
      },
    };
    await destination.send([a, forbidden], deadline().signal);
    expect(collector.logs.map(({ node }) => node)).toEqual(['ingress-1', 'ingress-2']);
    expect(collector.logs[1]?.record.severityText).toBe('WARN');
    expect(collector.logs[1]?.record.traceId).toBeUndefined();
    expect(attribute(collector.logs[1]?.record, 'error.type')).toEqual({ stringValue: 'WDR_TOOL_UNKNOWN' });
  });

  it('lets hostile texts arrive to the character', async () => {
    const { collector, destination } = await start();
    const batch = HOSTILE.map((hostile, n) => exportRecord(n, hostile));
    expect(await destination.send(batch, deadline().signal)).toEqual([]);
    expect(collector.logs.map(({ record }) => record.body)).toEqual(batch.map(({ text }) => ({ stringValue: text })));
  });

  it('does not send a partial success again: none of its records is lost, none doubled', async () => {
    const { collector, destination } = await start();
    const batch = exportRecords(4);
    collector.rejects = (record) => idOf(batch[2]?.key ?? '') === JSON.stringify(attribute(record, 'log.record.uid'));
    const refused = await destination.send(batch, deadline().signal);
    expect(refused.map(({ record }) => record)).toEqual(batch);
    expect(refused[0]?.reason).toBe('the receiver rejected 1 of the 4 records of the request and does not say which');
    expect(collector.receiver.requests.length).toBe(1);
    expect(collector.logs.length).toBe(3);
    expect((await destination.send([exportRecord(2)], deadline().signal))[0]?.reason).toBe(
      'the receiver rejected every record of the request',
    );
  });

  it('takes a partial success that rejects none, with a warning, as a success', async () => {
    const { collector, destination } = await start();
    const warning = { partialSuccess: { rejectedLogRecords: '0', errorMessage: 'slow down' } };
    collector.receiver.faults.push({ status: 200, body: JSON.stringify(warning) }, { status: 200, body: '' });
    expect(await destination.send(exportRecords(1), deadline().signal)).toEqual([]);
    expect(await destination.send(exportRecords(1), deadline().signal)).toEqual([]);
    collector.receiver.faults.push({ status: 200, body: '<html>welcome</html>' });
    await expect(destination.send(exportRecords(1), deadline().signal)).rejects.toThrow('did not answer in JSON');
  });

  it('finds the record for which a request is refused as malformed or too long', async () => {
    const { collector, destination } = await start();
    const batch = exportRecords(5);
    collector.bodyBytesMax = 12_000;
    const long = exportRecord(8, 'z'.repeat(12_000));
    const refused = await destination.send([...batch, long], deadline().signal);
    expect(refused).toEqual([{ record: long, reason: 'the receiver refuses it (413)' }]);
    expect(idsOf(collector).sort()).toEqual(batch.map(({ key }) => idOf(key)).sort());
    const malformed = { status: 400, body: '{"code":3}' };
    collector.receiver.faults.push(malformed, undefined, malformed);
    const [first, second] = [exportRecord(30), exportRecord(31)];
    expect(await destination.send([first, second], deadline().signal)).toEqual([
      { record: second, reason: 'the receiver refuses it (400)' },
    ]);
  });

  it('waits as 429 and 503 ask, goes on after resets, and keeps the batch where the key is wrong', async () => {
    const { collector, destination } = await start();
    const batch = exportRecords(3);
    const at = new Date(scene.nowMs + 5_000).toUTCString();
    collector.receiver.faults.push({ status: 503, headers: { 'retry-after': at }, body: '' }, 'reset-before', {
      status: 504,
      body: '',
    });
    const { failures } = await scene.sendUntilTaken(destination, batch, () => (scene.nowMs += 1_700));
    expect(failures.filter((message) => message.includes('left alone')).length).toBeGreaterThan(1);
    expect(idsOf(collector)).toEqual(batch.map(({ key }) => idOf(key)));
    const wrong = await start({ header: { name: 'x-api-key', valueFile: scene.secretFile('other', 'canary-other') } });
    await expect(wrong.destination.send(batch, deadline().signal)).rejects.toThrow('the receiver answered 401');
    expect(JSON.stringify([failures, scene.logged, wrong.destination.state()])).not.toContain('canary');
  });
});
