import { freeReceiverPort, type SiemReceiver, startRsyslog, startSyslogNg } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CLIENT_NAME, exportRecord, idsOf, makeReceiversScene, type ReceiversScene } from './receivers.scene.js';
import { SyslogDestination } from './syslog-destination.js';
import { SyslogSettings } from './syslog-settings.js';

const WAIT = { timeout: 60_000, interval: 50 };
/** Depending on the moment: closed, reset, or an alert of TLS. */
const REFUSED = /closed the connection|ECONNRESET|EPIPE|alert/;
const never = new AbortController().signal;

describe('syslog over mutual TLS', () => {
  let scene: ReceiversScene;
  const open: { close(): Promise<void> }[] = [];
  const running: SiemReceiver[] = [];
  beforeAll(async () => {
    scene = await makeReceiversScene();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    for (const one of running.splice(0)) await one.stop();
  });
  afterAll(() => scene.remove());

  const destination = (port: number, change: object = {}): SyslogDestination => {
    const settings = { kind: 'syslog', host: '127.0.0.1', port, tls: scene.client, settleMs: 200, ...change };
    const made = new SyslogDestination(SyslogSettings.parse(settings));
    open.push(made);
    return made;
  };
  const rsyslog = async (tlsVersion?: 'TLSv1.2' | 'TLSv1.3'): Promise<{ receiver: SiemReceiver; port: number }> => {
    const port = await freeReceiverPort();
    const receiver = await startRsyslog({
      files: scene.server,
      permittedPeer: CLIENT_NAME,
      tlsPort: port,
      ...(tlsVersion && { tlsVersion }),
    });
    running.push(receiver);
    return { receiver, port };
  };

  it.each(['rsyslog', 'syslog-ng'] as const)('brings each record to %s once, in order', async (name) => {
    const port = await freeReceiverPort();
    const start = name === 'rsyslog' ? startRsyslog : startSyslogNg;
    const receiver = await start({ files: scene.server, permittedPeer: CLIENT_NAME, tlsPort: port });
    running.push(receiver);
    const records = Array.from({ length: 1_000 }, (_, at) => exportRecord(at));
    const sender = destination(port);
    for (let at = 0; at < records.length; at += 100) await sender.send(records.slice(at, at + 100), never);
    expect(sender.state()).toEqual({ status: 'well' });
    await vi.waitFor(async () => {
      expect(idsOf(await receiver.lines('tls.jsonl'))).toEqual(records.map(({ key }) => key));
    }, WAIT);
  });

  it('loses nothing when the receiver is killed while it reads', async () => {
    const { receiver, port } = await rsyslog();
    const sender = destination(port);
    const records = Array.from({ length: 6_000 }, (_, at) => exportRecord(at));
    let killed: Promise<void> | undefined;
    for (let at = 0; at < records.length; at += 200) {
      const batch = records.slice(at, at + 200);
      if (at === 3_000) killed = receiver.kill().then(() => receiver.launch());
      while (
        !(await sender.send(batch, never).then(
          () => true,
          () => false,
        ))
      )
        await killed;
    }
    await vi.waitFor(async () => {
      expect(new Set(idsOf(await receiver.lines('tls.jsonl')))).toEqual(new Set(records.map(({ key }) => key)));
    }, WAIT);
  }, 120_000);

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'takes nothing for sent with a certificate of another authority (%s)',
    async (version) => {
      const { receiver, port } = await rsyslog(version);
      const sender = destination(port, { tls: scene.forger });
      // Under TLS 1.3 the connection stands and takes the first bytes before the receiver has judged our certificate.
      for (let at = 0; at < 3; at++) await expect(sender.send([exportRecord(at)], never)).rejects.toThrow(REFUSED);
      expect(sender.state()).toEqual({ status: 'failing' });
      expect(await receiver.lines('tls.jsonl')).toEqual([]);
    },
  );

  it('connects to nobody but the name that it was given', async () => {
    const { port } = await rsyslog();
    const sender = destination(port, { tls: { ...scene.client, serverName: 'other.example' } });
    await expect(sender.send([exportRecord(1)], never)).rejects.toThrow(/altnames/);
  });
});
