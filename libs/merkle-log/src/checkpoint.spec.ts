import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  commitmentTo,
  CompactRange,
  leafHashOf,
  type LogState,
  makeCheckpoint,
  noteKeyOf,
  partsOf,
  readCheckpoint,
  readNote,
  recordLeafOf,
  signNote,
} from './index.js';

// RFC 8032 section 7.1, test 1: a key that nobody uses.
const PRIVATE = createPrivateKey({
  key: Buffer.from(
    '302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'hex',
  ),
  format: 'der',
  type: 'pkcs8',
});
const PUBLIC = createPublicKey(PRIVATE);

function stateOf(size: number, leavesFrom: number): LogState {
  const range = new CompactRange();
  const prefixes: Buffer[] = [];
  for (let index = 0; index < size; index++) {
    const leaf = leafHashOf(Buffer.from(`record ${index}`));
    range.append(leaf);
    if (index >= leavesFrom) prefixes.push(leaf.subarray(0, 8));
  }
  return { origin: 'ingress-1/0k', range, leavesFrom, leaves: Buffer.concat(prefixes), atMs: 1_790_000_000_000 };
}

describe('a signed note', () => {
  it('has the form of C2SP, to the byte', () => {
    const note = signNote('example.com/log\n1\nAAAA\n', 'example.com/log', PRIVATE);
    expect(note).toBe(
      'example.com/log\n1\nAAAA\n\n— example.com/log zHFGcCSBDvKCExgOzt40xP8XGBGccGUIK8u1J6s2GAzc6cxMFbVFrm2ODFArPR6G/p3zV1kriNpEayl+VHXvb/rKigY=\n',
    );
    expect(noteKeyOf('example.com/log', PUBLIC)).toBe(
      'example.com/log+cc714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea',
    );
  });

  it.each(['', 'no line feed', 'an empty line\n\nbelow\n'])('is not made of %j', (text) => {
    expect(() => signNote(text, 'log', PRIVATE)).toThrow(RangeError);
  });

  it.each(['a b', 'a+b', ''])('has no key named %j', (name) => {
    expect(() => signNote('text\n', name, PRIVATE)).toThrow('no name of a key');
  });

  it.each(['text\n', 'text\n\n', 'text\n\n- a YWJjZGVm\n', 'text\n\n— a YWJj\n', 'text\n\n— a YWJjZGVm'])(
    'is not read from %j',
    (note) => {
      expect(readNote(note)).toBeUndefined();
    },
  );
});

describe('a checkpoint', () => {
  const checkpoint = makeCheckpoint(stateOf(13, 5), PRIVATE);

  it('is read back as what it was made of, and is signed by its key alone', () => {
    const read = readCheckpoint(checkpoint);
    if ('fault' in read) throw new Error(read.fault);
    expect(read).toMatchObject({ origin: 'ingress-1/0k', size: 13, leavesFrom: 5, atMs: 1_790_000_000_000 });
    expect(read.range.root()).toEqual(stateOf(13, 5).range.root());
    expect(read.isSignedBy(PUBLIC)).toBe(true);
    expect(read.isSignedBy(generateKeyPairSync('ed25519').publicKey)).toBe(false);
  });

  it('is the same bytes whenever it is made again', () => {
    expect(makeCheckpoint(stateOf(13, 5), PRIVATE)).toEqual(checkpoint);
  });

  const other = makeCheckpoint(stateOf(14, 5), PRIVATE);
  it.each([
    ['origin', { origin: 'ingress-1/0l' }],
    ['size', { size: 12 }],
    ['root', { root: other.root }],
    ['frontier', { frontier: other.frontier }],
    ['first leaf', { leavesFrom: 6 }],
    ['leaves', { leaves: Buffer.alloc(64).toString('base64') }],
    ['time', { atMs: 1_790_000_000_001 }],
    ['note', { note: other.note }],
  ])('shows that its %s was changed', (_what, change) => {
    expect(readCheckpoint({ ...checkpoint, ...change })).toHaveProperty('fault');
  });

  it('is not signed any more when its note and the rest are changed alike', () => {
    const forged = makeCheckpoint(stateOf(14, 5), generateKeyPairSync('ed25519').privateKey);
    const signature = /\n\n(.*\n)$/u.exec(checkpoint.note)![1]!;
    const read = readCheckpoint({ ...forged, note: forged.note.replace(/(?<=\n\n).*\n$/u, signature) });
    if ('fault' in read) throw new Error(read.fault);
    expect(read.isSignedBy(PUBLIC)).toBe(false);
  });

  it('names every leaf or is not made', () => {
    expect(() => makeCheckpoint({ ...stateOf(13, 5), leavesFrom: 4 }, PRIVATE)).toThrow('every leaf');
  });
});

describe('the leaf of a record', () => {
  const personal = '{"salt":"c2FsdHNhbHRzYWx0c2Fsdg","arguments":{"bytes":9,"value":",\\"personal\\":null"}}';
  const record = Buffer.from(`{"log":"n/0","sequence":1,"index":0,"commitment":"c","tool":"t","personal":${personal}}`);

  it('is over the bytes before the personal part, which it holds as its commitment', () => {
    expect(partsOf(record).personal?.toString()).toBe(personal);
    expect(commitmentTo(Buffer.from(personal))).toMatch(/^[0-9a-f]{64}$/);
    const leaf = leafHashOf(Buffer.from('{"log":"n/0","sequence":1,"index":0,"commitment":"c","tool":"t"}'));
    expect(recordLeafOf(record)).toEqual(leaf);
  });

  it.each([0, 1, 16_382, 16_383, 16_384, 100_000])(
    'of %d bytes is the SHA-256 behind one zero byte (RFC 6962)',
    (size) => {
      const leaf = Buffer.alloc(size, 'x');
      const wanted = createHash('sha256')
        .update(Buffer.concat([Buffer.from([0]), leaf]))
        .digest();
      expect(leafHashOf(leaf.subarray(0, size >> 1), leaf.subarray(size >> 1))).toEqual(wanted);
    },
  );

  it('stays the same when the personal part is erased', () => {
    const erased = Buffer.from('{"log":"n/0","sequence":1,"index":0,"commitment":"c","tool":"t","personal":null}');
    expect(partsOf(erased).personal).toBeNull();
    expect(recordLeafOf(erased)).toEqual(recordLeafOf(record));
  });

  it('is over the whole of a record that has no personal part', () => {
    const plain = Buffer.from('{"log":"n/0","sequence":1}');
    expect(partsOf(plain).personal).toBeUndefined();
    expect(recordLeafOf(plain)).toEqual(leafHashOf(plain));
  });
});
