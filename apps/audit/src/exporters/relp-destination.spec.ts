import { freeReceiverPort, type SiemReceiver, startRsyslog } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_NAME, exportRecord, idsOf, makeReceiversScene, type ReceiversScene } from './receivers.scene.js';
import { RelpDestination } from './relp-destination.js';
import { RelpSettings } from './relp-settings.js';

/** Depending on the moment: a word of RELP, an alert of TLS, an end, a reset. */
const REFUSED = /closed the connection|ends the session|ECONNRESET|EPIPE|alert/;
const never = new AbortController().signal;

describe('RELP over mutual TLS', () => {
  let scene: ReceiversScene;
  let receiver: SiemReceiver;
  let port: number;
  const open: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    scene = await makeReceiversScene();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await receiver?.stop();
  });
  afterAll(() => scene.remove());

  const destination = (change: object = {}): RelpDestination => {
    const settings = { kind: 'relp', host: '127.0.0.1', port, tls: scene.client, ...change };
    const made = new RelpDestination(RelpSettings.parse(settings));
    open.push(made);
    return made;
  };
  const start = async (): Promise<void> => {
    port = await freeReceiverPort();
    receiver = await startRsyslog({ files: scene.server, permittedPeer: CLIENT_NAME, relpPort: port });
  };

  it('brings each record to rsyslog once, in order, and all of them are in its file when it says so', async () => {
    await start();
    const records = Array.from({ length: 2_000 }, (_, at) => exportRecord(at));
    const sender = destination();
    for (let at = 0; at < records.length; at += 100) await sender.send(records.slice(at, at + 100), never);
    expect(idsOf(await receiver.lines('relp.jsonl'))).toEqual(records.map(({ key }) => key));
    expect(sender.state()).toEqual({ status: 'well' });
  });

  it('loses nothing when the receiver is killed while it reads, and doubles no more than what was under way', async () => {
    await start();
    const sender = destination({ windowMax: 32 });
    const records = Array.from({ length: 4_000 }, (_, at) => exportRecord(at));
    let killed: Promise<void> | undefined;
    for (let at = 0; at < records.length; at += 200) {
      const batch = records.slice(at, at + 200);
      if (at === 2_000) killed = receiver.kill().then(() => receiver.launch());
      while (
        !(await sender.send(batch, never).then(
          () => true,
          () => false,
        ))
      )
        await killed;
    }
    const ids = idsOf(await receiver.lines('relp.jsonl'));
    expect(new Set(ids)).toEqual(new Set(records.map(({ key }) => key)));
    expect(ids.length).toBeLessThanOrEqual(records.length + 32);
  }, 120_000);

  it.each([
    ['under a name that nobody permits', 'stranger'],
    ['of another authority', 'forger'],
  ] as const)('takes nothing for sent with a certificate %s', async (_, who) => {
    await start();
    const sender = destination({ tls: scene[who] });
    for (let at = 0; at < 3; at++) await expect(sender.send([exportRecord(at)], never)).rejects.toThrow(REFUSED);
    expect(sender.state()).toEqual({ status: 'failing' });
    expect(await receiver.lines('relp.jsonl')).toEqual([]);
  });
});
