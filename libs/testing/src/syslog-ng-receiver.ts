import { join } from 'node:path';
import type { PartyFiles } from './certificates.js';
import { resolveSiemReceivers } from './siem-packages.js';
import { SiemReceiver } from './siem-receiver.js';

/** Starts Debian's syslog-ng without installing it: RFC 5424 over mutual TLS into `tls.jsonl`, its limits as they come. */
export async function startSyslogNg(options: {
  readonly files: PartyFiles;
  readonly tlsPort: number;
}): Promise<SiemReceiver> {
  const root = await resolveSiemReceivers();
  const own = join(root, 'usr/lib/syslog-ng');
  return SiemReceiver.start(async (dir) => {
    const at = (name: string): string => join(dir, name);
    const files = ['-f', at('receiver.conf'), '-R', at('receiver.persist'), '-p', at('receiver.pid'), '-c', at('ctl')];
    return {
      name: 'syslog-ng',
      command: join(root, 'usr/sbin/syslog-ng'),
      args: ['-F', '--no-caps', ...files, `--module-path=${join(own, '3.38')}`],
      libraryPath: [own, join(root, 'usr/lib/x86_64-linux-gnu'), join(root, 'lib/x86_64-linux-gnu')].join(':'),
      config: configOf(options, dir),
      ports: [options.tlsPort],
    };
  });
}

function configOf({ files, tlsPort }: { files: PartyFiles; tlsPort: number }, dir: string): string {
  return `@version: 3.38
options { keep-hostname(yes); stats-freq(0); };
source warder {
  syslog(ip("127.0.0.1") port(${tlsPort}) transport("tls")
    tls(key-file("${files.keyFile}") cert-file("${files.certificateFile}") ca-file("${files.caFile}")
      peer-verify(required-trusted) ssl-options(no-sslv2, no-sslv3, no-tlsv1, no-tlsv11)));
};
destination lines {
  file("${join(dir, 'tls.jsonl')}" template("$(format-json host=$HOST msgid=$MSGID sd=$SDATA msg=$MSG)\\n"));
};
log { source(warder); destination(lines); };
`;
}
