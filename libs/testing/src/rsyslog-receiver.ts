import { join } from 'node:path';
import type { PartyFiles } from './certificates.js';
import { resolveSiemReceivers } from './siem-packages.js';
import { SiemReceiver } from './siem-receiver.js';

/** What a real rsyslog listens to. Each input writes a file of its own. */
export interface RsyslogOptions {
  readonly files: PartyFiles;
  /** Name in the client's certificate, the only one that is let in. */
  readonly permittedPeer: string;
  /** RFC 5424 over TLS into `tls.jsonl`. */
  readonly tlsPort?: number;
  /** The one version of TLS that is spoken; 1.2 and up where not given. */
  readonly tlsVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** RELP over TLS into `relp.jsonl`. */
  readonly relpPort?: number;
  /** Bytes of one message; rsyslog's own default (8 KiB) where not given. */
  readonly messageBytesMax?: number;
}

/** Starts Debian's rsyslog without installing it. */
export async function startRsyslog(options: RsyslogOptions): Promise<SiemReceiver> {
  const { tlsPort, relpPort } = options;
  const ports = [tlsPort, relpPort].filter((port) => port !== undefined);
  return runRsyslog(ports, (dir) => configOf(options, dir));
}

/** Runs it with a configuration, which gets the directory that its files go to. */
export async function runRsyslog(ports: readonly number[], configOf: (dir: string) => string): Promise<SiemReceiver> {
  const root = await resolveSiemReceivers();
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  return SiemReceiver.start(async (dir) => ({
    name: 'rsyslog',
    command: join(root, 'usr/sbin/rsyslogd'),
    args: ['-n', '-f', join(dir, 'receiver.conf'), '-M', join(libraries, 'rsyslog'), '-i', join(dir, 'receiver.pid')],
    libraryPath: libraries,
    config: configOf(dir),
    ports,
  }));
}

/** One line of JSON for each message, of the members that a `ReceivedLine` has. */
export const RSYSLOG_LINE = `template(name="line" type="list" option.jsonf="on") {
  property(outname="host" name="hostname" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="sd" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
}`;

function configOf(options: RsyslogOptions, dir: string): string {
  const { files, messageBytesMax, tlsPort, relpPort } = options;
  const size = messageBytesMax === undefined ? '' : ` maxMessageSize="${messageBytesMax}"`;
  return `
global(workDirectory="${dir}"${size}
  defaultNetstreamDriverCAFile="${files.caFile}"
  defaultNetstreamDriverCertFile="${files.certificateFile}"
  defaultNetstreamDriverKeyFile="${files.keyFile}")
${RSYSLOG_LINE}
${tlsPort === undefined ? '' : tlsInput(tlsPort, options, dir)}
${relpPort === undefined ? '' : relpInput(relpPort, options, dir)}
`;
}

function tlsInput(port: number, { permittedPeer, tlsVersion }: RsyslogOptions, dir: string): string {
  const version = tlsVersion && ` gnutlsPriorityString="MinProtocol=${tlsVersion}\\nMaxProtocol=${tlsVersion}"`;
  return `
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/name"
  permittedPeer=["${permittedPeer}"]${version ?? ''})
input(type="imtcp" port="${port}" address="127.0.0.1" ruleset="tls")
ruleset(name="tls") { action(type="omfile" file="${join(dir, 'tls.jsonl')}" template="line") }`;
}

// A queue of type direct: a message is acknowledged when it is in the file, not when it is in memory.
function relpInput(port: number, { files, permittedPeer }: RsyslogOptions, dir: string): string {
  return `
module(load="imrelp" tls.tlsLib="openssl")
input(type="imrelp" port="${port}" address="127.0.0.1" ruleset="relp" tls="on" tls.caCert="${files.caFile}"
  tls.myCert="${files.certificateFile}" tls.myPrivKey="${files.keyFile}" tls.authMode="name"
  tls.permittedPeer=["${permittedPeer}"])
ruleset(name="relp" queue.type="direct") { action(type="omfile" file="${join(dir, 'relp.jsonl')}" template="line") }`;
}
