import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files of one party of mutual TLS, PEM. */
export interface PartyFiles {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** An authority of one test, made by openssl. */
export class TestAuthority {
  readonly caFile: string;
  private readonly keyFile: string;

  private constructor(
    private readonly dir: string,
    private readonly name: string,
  ) {
    this.caFile = join(dir, `${name}.pem`);
    this.keyFile = join(dir, `${name}.key`);
  }

  /** @param name - of the files in the directory, and in the certificate */
  static async make(dir: string, name = 'authority'): Promise<TestAuthority> {
    const made = new TestAuthority(dir, name);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', made.keyFile];
    const extensions = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    await run('openssl', [
      'req',
      '-x509',
      ...key,
      '-out',
      made.caFile,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      ...extensions,
    ]);
    return made;
  }

  /** A certificate for a name, which is a DNS name unless it is an address. */
  async certify(name: string, file = name): Promise<PartyFiles> {
    const path = (ending: string): string => join(this.dir, `${this.name}-${file}.${ending}`);
    const kind = /^[\d.]+$/.test(name) ? 'IP' : 'DNS';
    await writeFile(path('cnf'), `subjectAltName=${kind}:${name}\nbasicConstraints=critical,CA:FALSE\n`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path('key')];
    await run('openssl', ['req', '-new', ...key, '-out', path('csr'), '-subj', `/CN=${name}`]);
    const issuer = ['-CA', this.caFile, '-CAkey', this.keyFile, '-CAcreateserial'];
    await run('openssl', [
      'x509',
      '-req',
      '-in',
      path('csr'),
      ...issuer,
      '-days',
      '2',
      '-extfile',
      path('cnf'),
      '-out',
      path('pem'),
    ]);
    return { caFile: this.caFile, certificateFile: path('pem'), keyFile: path('key') };
  }
}
