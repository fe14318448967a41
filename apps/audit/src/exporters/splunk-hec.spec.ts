import { FakeSplunkHec, type FakeSplunkOptions } from '@warder/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Destination } from './destination.js';
import { deadline, exportRecord, exportRecords, ExportScene, HOSTILE, WAIT } from './http-destination.scene.js';
import { createSplunkHec } from './splunk-hec.js';
import { SplunkHecSettings } from './splunk-hec-settings.js';

const TOKEN = '7a2f0c1e-canary-4c7e-9a51-000000000001';

let scene: ExportScene;
beforeEach(() => {
  scene = new ExportScene();
});
afterEach(() => scene.end());

async function start(
  options: Partial<FakeSplunkOptions> = {},
  settings: Partial<SplunkHecSettings> = {},
): Promise<{ splunk: FakeSplunkHec; destination: Destination }> {
  const splunk = await FakeSplunkHec.start({ token: TOKEN, acknowledgement: true, ...options });
  scene.opens(splunk.receiver);
  const destination = createSplunkHec(
    SplunkHecSettings.parse({
      kind: 'splunk-hec',
      url: splunk.receiver.url,
      format: 'record',
      tokenFile: scene.secretFile('token', TOKEN),
      ackPollMs: 1,
      ...settings,
    }),
    scene.context,
  );
  return { splunk, destination: scene.opens(destination) };
}

const idsOf = (splunk: FakeSplunkHec) => splunk.indexed.map(({ fields }) => fields?.record_id);

describe('Splunk HEC with indexer acknowledgement', () => {
  it('resolves only once the indexers have acknowledged every post', async () => {
    const { splunk, destination } = await start({}, { bodyBytesMax: 4_096 });
    splunk.holdsIndexing = true;
    let isTaken = false;
    const sent = destination.send(exportRecords(6), deadline().signal).then((refused) => {
      isTaken = true;
      return refused;
    });
    const asked = () => splunk.receiver.requests.filter(({ path }) => path.endsWith('/ack')).length;
    await expect.poll(asked, WAIT).toBeGreaterThan(3);
    expect(isTaken).toBe(false);
    splunk.index();
    expect(await sent).toEqual([]);
    expect(idsOf(splunk)).toEqual(exportRecords(6).map(({ key }) => key));
    expect(splunk.receiver.requests.filter(({ path }) => path.endsWith('/event')).length).toBeGreaterThan(1);
    expect(destination.state()).toEqual({ status: 'well' });
  });

  it('posts time, host, source, sourcetype, index and indexed fields beside the event', async () => {
    const { splunk, destination } = await start({ indexes: ['audit'] }, { index: 'audit', sourcetype: 'warder:v2' });
    const record = exportRecord(1);
    await destination.send([record], deadline().signal);
    expect(splunk.indexed[0]).toMatchObject({
      time: 1_790_000_000,
      host: 'ingress-1',
      source: 'warder',
      sourcetype: 'warder:v2',
      index: 'audit',
      fields: { record_id: record.key, kind: 'call', decision: 'permit', outcome: 'success' },
    });
    const [post] = splunk.receiver.requests;
    expect(post?.headers.authorization).toBe(`Splunk ${TOKEN}`);
    expect(post?.headers['x-splunk-request-channel']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('lets hostile texts arrive to the character and forges no event', async () => {
    const { splunk, destination } = await start();
    const batch = HOSTILE.map((hostile, n) => exportRecord(n, hostile));
    expect(await destination.send(batch, deadline().signal)).toEqual([]);
    expect(splunk.indexed.length).toBe(batch.length);
    for (const [n, { text }] of splunk.indexed.entries()) {
      expect(text).toContain(batch[n]?.text);
      expect(splunk.indexed[n]?.event).toMatchObject({ exposedName: `everything__echo${HOSTILE[n]}` });
    }
  });

  it('asks for acknowledgements that came late before it posts the same events again', async () => {
    // Nobody asks when the deadline comes: Splunk would tell who is gone, and tells only once.
    const { splunk, destination } = await start({}, { ackPollMs: 60_000 });
    splunk.holdsIndexing = true;
    const { signal, hit } = deadline();
    const sent = destination.send(exportRecords(3), signal);
    await expect.poll(() => splunk.receiver.requests.length, WAIT).toBe(2);
    hit();
    await expect(sent).rejects.toThrow(/not acknowledged by the indexers in time|given up/);
    expect(destination.state()).toEqual({ status: 'failing' });
    splunk.index();
    expect(await destination.send(exportRecords(3), deadline().signal)).toEqual([]);
    expect(idsOf(splunk)).toEqual(exportRecords(3).map(({ key }) => key));
  });

  it('posts again what the indexers lost, and not its neighbours that they kept', async () => {
    const { splunk, destination } = await start({}, { bodyBytesMax: 4_096 });
    const batch = exportRecords(6);
    const posts = () => splunk.receiver.requests.filter(({ path }) => path.endsWith('/event')).length;
    // The first post is indexed; what comes after it waits, and dies with its indexer.
    let goOn = () => {};
    const second = new Promise<void>((resolve) => (goOn = resolve));
    splunk.receiver.faults.push(undefined, { until: second });
    const { signal, hit } = deadline();
    const sent = destination.send(batch, signal);
    await expect.poll(posts, WAIT).toBe(2);
    const kept = idsOf(splunk);
    splunk.holdsIndexing = true;
    goOn();
    await expect
      .poll(() => splunk.receiver.requests.filter(({ path }) => path.endsWith('/ack')).length, WAIT)
      .toBeGreaterThan(1);
    hit();
    await expect(sent).rejects.toThrow(/not acknowledged by the indexers in time|given up/);
    splunk.loseWaiting();
    splunk.holdsIndexing = false;
    expect(await destination.send(batch, deadline().signal)).toEqual([]);
    expect(kept.length).toBeGreaterThan(0);
    expect(idsOf(splunk)).toEqual(batch.map(({ key }) => key));
  });

  it('posts once more where the acknowledgement itself was lost, for Splunk says true only once', async () => {
    const { splunk, destination } = await start();
    splunk.receiver.faults.push(undefined, 'reset-after');
    const { failures } = await scene.sendUntilTaken(destination, exportRecords(1));
    expect(failures.length).toBe(1);
    expect(idsOf(splunk)).toEqual([exportRecord(0).key, exportRecord(0).key]);
  });

  it('refuses for good the one event that Splunk finds invalid, and loses none of the others', async () => {
    for (const indexesBeforeInvalid of [false, true]) {
      const { splunk, destination } = await start({ indexesBeforeInvalid });
      const batch = exportRecords(5);
      const bad = { ...exportRecord(99), text: '""' };
      const { refused } = await scene.sendUntilTaken(destination, [...batch.slice(0, 3), bad, ...batch.slice(3)]);
      expect(refused).toEqual([{ record: bad, reason: 'the receiver refuses the event (code 13)' }]);
      // Without an acknowledgement of the refused post, those before the bad event may stand there twice: Splunk has no key.
      const ids = idsOf(splunk);
      expect(new Set(ids)).toEqual(new Set(batch.map(({ key }) => key)));
      expect(ids.length).toBe(indexesBeforeInvalid ? 8 : 5);
    }
  });

  it('halves what is too long, and refuses for good what is too long by itself', async () => {
    const { splunk, destination } = await start({ bodyBytesMax: 5_000 });
    const long = exportRecord(7, 'y'.repeat(5_000));
    const batch = [...exportRecords(6), long];
    expect(await destination.send(batch, deadline().signal)).toEqual([
      { record: long, reason: 'the receiver finds it too long (413)' },
    ]);
    expect(new Set(idsOf(splunk))).toEqual(new Set(exportRecords(6).map(({ key }) => key)));
    expect(splunk.indexed.length).toBe(6);
    const { destination: narrow } = await start({}, { bodyBytesMax: 4_096 });
    expect((await narrow.send([long], deadline().signal))[0]?.reason).toMatch(
      /^its \d+ bytes exceed bodyBytesMax \(4096\)$/,
    );
  });

  it('loses nothing to resets and 503, and doubles nothing but what was indexed without an answer', async () => {
    const { splunk, destination } = await start();
    const busy = { status: 503, body: '{"text":"Server is busy","code":9}' };
    splunk.receiver.faults.push('reset-before', busy, undefined, 'reset-before');
    const { failures } = await scene.sendUntilTaken(destination, exportRecords(4));
    expect(failures[1]).toBe('the receiver answered 503 (code 9)');
    expect(idsOf(splunk)).toEqual(exportRecords(4).map(({ key }) => key));
    splunk.receiver.faults.push('reset-after');
    await scene.sendUntilTaken(destination, [exportRecord(50)]);
    expect(idsOf(splunk).filter((id) => id === exportRecord(50).key).length).toBe(2);
  });

  it('keeps the batch for an operator where token, channel, index or acknowledgement are wrong', async () => {
    const wrongToken = await start({}, { tokenFile: scene.secretFile('other', 'another') });
    const wrongIndex = await start({ indexes: ['main'] }, { index: 'audit' });
    const noAck = await start({ acknowledgement: false });
    const ackUnasked = await start({}, { acknowledgement: false });
    const messageOf = async ({ destination }: { destination: Destination }) =>
      destination.send(exportRecords(1), deadline().signal).then(
        () => 'taken',
        (error: Error) => error.message,
      );
    expect(await messageOf(wrongToken)).toBe('the receiver answered 403 (code 4)');
    expect(await messageOf(wrongIndex)).toBe('the receiver answered 400 (code 7, which an operator must mend)');
    expect(await messageOf(noAck)).toBe('the receiver gave no ackId: the token has no indexer acknowledgement');
    expect(await messageOf(ackUnasked)).toBe('the receiver answered 400 (code 10, which an operator must mend)');
  });

  it('takes the answer to the post where acknowledgement is switched off on both sides', async () => {
    const { splunk, destination } = await start({ acknowledgement: false }, { acknowledgement: false, gzip: true });
    expect(await destination.send(exportRecords(2), deadline().signal)).toEqual([]);
    expect(splunk.indexed.length).toBe(2);
    expect(splunk.receiver.requests.map(({ path }) => path)).toEqual(['/services/collector/event']);
  });

  it('shows the token in no error, state or log line', async () => {
    const { splunk, destination } = await start();
    const echo = { status: 500, body: JSON.stringify({ text: `bad token ${TOKEN}`, code: TOKEN }) };
    splunk.receiver.faults.push(echo, 'reset-before', { ...echo, status: 400 }, undefined, echo);
    const { failures } = await scene.sendUntilTaken(destination, exportRecords(2));
    expect(failures.length).toBe(4);
    const seen = JSON.stringify([failures, destination.state(), scene.logged]);
    expect(seen).not.toContain('canary');
  });
});
