// Loaded into a service before its own code (`--import`): its journal's disk fails and its clock is off as a file says.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { CHAOS_CONTROL: controlFile = '', CHAOS_JOURNAL: journalDir = '' } = process.env;
const CONTROL_EVERY_MS = 20;
const real = { ...fs };
const realOpen = fs.promises.open;
const RealDate = Date;
let control = { offsetMs: 0, percent: 0, on: 'both', isFull: false };
let failed = 0;

read();
setInterval(read, CONTROL_EVERY_MS).unref();

function read() {
  try {
    control = { ...control, ...JSON.parse(real.readFileSync(controlFile, 'utf8')) };
  } catch (error) {
    // Before the first word, and while one is being written, what was said last holds.
    if (error.code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
  }
}

function failure(code) {
  failed += 1;
  // Whoever plans a fault wants to see that it happened.
  real.writeFileSync(`${controlFile}.${process.pid}.failed`, String(failed));
  return Object.assign(new Error(`${code}: the disk was told to fail`), { code });
}

function isOfJournal(fd) {
  return real.readlinkSync(`/proc/self/fd/${fd}`).startsWith(journalDir);
}

/** The error of a call to the disk, or nothing. */
function errorOf(call, fd) {
  const { percent, on } = control;
  if (percent === 0 || (on !== 'both' && on !== call) || Math.random() * 100 >= percent) return undefined;
  return isOfJournal(fd) ? failure('EIO') : undefined;
}

/** The error of opening a file anew. */
function fullErrorOf(path, flags) {
  return control.isFull && flags === 'w' && String(path).startsWith(journalDir) ? failure('ENOSPC') : undefined;
}

function failingSync(call, name) {
  fs[name] = (fd, ...rest) => {
    const error = errorOf(call, fd);
    if (error !== undefined) throw error;
    return real[name](fd, ...rest);
  };
}

function failingLater(call, name) {
  fs[name] = (fd, ...rest) => {
    const error = errorOf(call, fd);
    if (error === undefined) return real[name](fd, ...rest);
    const done = rest.at(-1);
    setImmediate(() => done(error, 0));
    return undefined;
  };
}

if (journalDir !== '') {
  failingSync('write', 'writeSync');
  failingSync('sync', 'fdatasyncSync');
  failingLater('write', 'write');
  failingLater('sync', 'fdatasync');
  fs.openSync = (path, flags, ...rest) => {
    const error = fullErrorOf(path, flags);
    if (error !== undefined) throw error;
    return real.openSync(path, flags, ...rest);
  };
  fs.promises.open = async (path, flags, ...rest) => {
    const error = fullErrorOf(path, flags);
    if (error !== undefined) throw error;
    return realOpen(path, flags, ...rest);
  };
  syncBuiltinESMExports();
}

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + control.offsetMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + control.offsetMs;
  }

  static [Symbol.hasInstance](value) {
    return value instanceof RealDate;
  }
};
