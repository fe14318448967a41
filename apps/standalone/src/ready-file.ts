import { writePrivateFile } from './private-file.js';

/** What a script reads to use a started Warder. */
export interface Ready {
  /** The whole URL of a virtual server. */
  endpoint: string;
  adminUrl: string;
  adminToken: string;
  token: string;
  pid: number;
}

/** Tells a waiting script that everything is up: the file appears whole, readable by this user only. */
export function writeReadyFile(file: string, ready: Ready): void {
  writePrivateFile(file, `${JSON.stringify(ready)}\n`);
}
