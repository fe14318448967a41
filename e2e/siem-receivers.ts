import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freeReceiverPort,
  type PartyFiles,
  type ReceivedLine,
  type SiemReceiver,
  startRsyslog,
  startSyslogNg,
  TestAuthority,
} from '@warder/testing';

const SERVER_NAME = 'siem.example';
const CLIENT_NAME = 'warder';

/** rsyslog and syslog-ng as a company would run them, their limits as they come, and the exporters that feed them. */
export class SiemReceivers {
  private constructor(
    private readonly dir: string,
    private readonly rsyslog: SiemReceiver,
    private readonly syslogNg: SiemReceiver,
    /** As in the configuration of the audit service. */
    readonly exporters: Readonly<Record<string, object>>,
  ) {}

  static async start(): Promise<SiemReceivers> {
    const dir = mkdtempSync(join(tmpdir(), 'warder-story-siem-'));
    const authority = await TestAuthority.make(dir);
    const files = await authority.certify(SERVER_NAME);
    const client = await authority.certify(CLIENT_NAME);
    const [tlsPort, relpPort, ngPort] = [await freeReceiverPort(), await freeReceiverPort(), await freeReceiverPort()];
    const rsyslog = await startRsyslog({ files, permittedPeer: CLIENT_NAME, tlsPort, relpPort });
    const syslogNg = await startSyslogNg({ files, tlsPort: ngPort });
    const of = (kind: string, format: string, port: number): object => exporter(client, { kind, format, port });
    return new SiemReceivers(dir, rsyslog, syslogNg, {
      tls: of('syslog', 'cef', tlsPort),
      relp: of('relp', 'leef', relpPort),
      ng: of('syslog', 'ocsf', ngPort),
    });
  }

  /** A configuration file for standalone. */
  get configFile(): string {
    const file = join(this.dir, 'standalone.yaml');
    writeFileSync(file, JSON.stringify({ exporters: this.exporters }));
    return file;
  }

  /** The same as variables of the audit service. */
  get environment(): Record<string, string> {
    return Object.fromEntries(variables('WARDER_EXPORTERS', this.exporters));
  }

  /** The lines of each receiver, by the name of its exporter. */
  async lines(): Promise<Record<string, ReceivedLine[]>> {
    return {
      tls: await this.rsyslog.lines('tls.jsonl'),
      relp: await this.rsyslog.lines('relp.jsonl'),
      ng: await this.syslogNg.lines('tls.jsonl'),
    };
  }

  async stop(): Promise<void> {
    await this.rsyslog.stop();
    await this.syslogNg.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function exporter(client: PartyFiles, settings: object): object {
  return { ...settings, host: '127.0.0.1', tls: { ...client, serverName: SERVER_NAME } };
}

/** `{a: {bC: 1}}` as `PREFIX__A__B_C=1`. */
export function variables(prefix: string, value: object): [string, string][] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const name = `${prefix}__${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    return typeof member === 'object' && member !== null ? variables(name, member) : [[name, String(member)]];
  });
}
