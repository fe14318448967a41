import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  CompactRange,
  EMPTY_ROOT,
  leafHashOf,
  nodeHashOf,
  TreeRange,
  unknownBeginning,
  verifyConsistency,
  verifyInclusion,
} from './index.js';

const SIZES = 300;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

// The vectors of the reference implementation of RFC 6962 (certificate-transparency, merkle_tree_test).
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const INCLUSION: [index: number, size: number, path: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
];
const CONSISTENCY: [first: number, second: number, path: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

const empty = new CompactRange();
const leaves = Array.from({ length: SIZES }, (_, n) => leafHashOf(Buffer.from(`leaf ${n}`)));
const tree = new TreeRange(empty, leaves);

function rangeOf(size: number): CompactRange {
  const range = new CompactRange();
  for (const leaf of leaves.slice(0, size)) range.append(leaf);
  return range;
}

/** The definition of RFC 6962 section 2.1 word by word, as a second opinion. */
function rootByDefinition(from: number, to: number): Buffer {
  if (to - from === 0) return createHash('sha256').digest();
  if (to - from === 1) return leaves[from]!;
  let split = 1;
  while (split * 2 < to - from) split *= 2;
  return nodeHashOf(rootByDefinition(from, from + split), rootByDefinition(from + split, to));
}

/** One bit of it is another one, the bit itself by chance of `seed`. */
function flipped(bytes: Buffer, seed: number): Buffer {
  const changed = Buffer.from(bytes);
  const bit = (Math.imul(seed, 2_654_435_761) >>> 0) % (bytes.length * 8);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}

function flippedPath(path: readonly Buffer[], seed: number): Buffer[] {
  const at = seed % path.length;
  return path.with(at, flipped(path[at]!, seed));
}

describe('the published vectors', () => {
  const known = INPUTS.map((input) => leafHashOf(hex(input)));
  const knownTree = new TreeRange(empty, known);

  it('give the published roots', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const range = new CompactRange();
    const roots = known.map((leaf) => {
      range.append(leaf);
      return range.root().toString('hex');
    });
    expect(roots).toEqual(ROOTS);
    expect(known.map((_, n) => knownTree.root(n + 1).toString('hex'))).toEqual(ROOTS);
  });

  it.each(INCLUSION)('give the published path of leaf %i of %i', (index, size, path) => {
    expect(knownTree.inclusionProof(index, size).map((hash) => hash.toString('hex'))).toEqual(path);
    expect(verifyInclusion({ index, size, root: hex(ROOTS[size - 1]!) }, known[index]!, path.map(hex))).toBe(true);
  });

  it.each(CONSISTENCY)('give the published proof from %i to %i', (first, second, path) => {
    expect(knownTree.consistencyProof(first, second).map((hash) => hash.toString('hex'))).toEqual(path);
    const [older, newer] = [first, second].map((size) => ({ size, root: hex(ROOTS[size - 1]!) }));
    expect(verifyConsistency(older!, newer!, path.map(hex))).toBe(true);
  });
});

describe(`every size to ${SIZES}`, () => {
  it('has the root of the definition, appended one by one and from the leaves', () => {
    const range = new CompactRange();
    for (let size = 0; size <= SIZES; size++) {
      const root = rootByDefinition(0, size);
      expect(range.root()).toEqual(root);
      expect(range.size).toBe(size);
      range.append(leaves[size % SIZES]!);
    }
    for (let size = 1; size <= SIZES; size++) expect(tree.root(size)).toEqual(rootByDefinition(0, size));
  });

  it('proves each of its leaves, and none with one bit changed, at another place or with another length of path', () => {
    const failed: string[] = [];
    for (let size = 1; size <= SIZES; size++) {
      const root = rangeOf(size).root();
      for (let index = 0; index < size; index++) {
        const path = tree.inclusionProof(index, size);
        const leaf = leaves[index]!;
        const place = { index, size, root };
        const seed = size * SIZES + index;
        const ways = [
          () => verifyInclusion(place, flipped(leaf, seed), path),
          () => verifyInclusion({ ...place, root: flipped(root, seed) }, leaf, path),
          () => size > 1 && verifyInclusion({ ...place, index: (index + 1) % size }, leaf, path),
          () => verifyInclusion(place, leaf, [...path, root]),
          () => path.length > 0 && verifyInclusion(place, leaf, path.slice(0, -1)),
          () => path.length > 0 && verifyInclusion(place, leaf, flippedPath(path, seed)),
        ];
        const isFooled = ways[seed % ways.length]!() || ways.at(-1)!();
        if (!verifyInclusion(place, leaf, path) || isFooled) failed.push(`leaf ${index} of ${size}`);
      }
    }
    expect(failed).toEqual([]);
  });

  it('proves that it begins with each smaller one, and not with one bit changed', () => {
    const failed: string[] = [];
    for (let size = 1; size <= SIZES; size++) {
      const second = { size, root: tree.root(size) };
      for (let first = 1; first <= size; first++) {
        const older = { size: first, root: tree.root(first) };
        const path = tree.consistencyProof(first, size);
        const seed = size * SIZES + first;
        const ways = [
          () => verifyConsistency({ ...older, root: flipped(older.root, seed) }, second, path),
          () => verifyConsistency(older, { ...second, root: flipped(second.root, seed) }, path),
          () => verifyConsistency(older, second, [...path, second.root]),
          () => path.length > 0 && verifyConsistency(older, second, path.slice(1)),
          () => path.length > 0 && verifyConsistency(older, second, flippedPath(path, seed)),
        ];
        const isFooled = ways[seed % ways.length]!() || ways.at(-1)!();
        if (!verifyConsistency(older, second, path) || isFooled) failed.push(`${first} in ${size}`);
      }
    }
    expect(failed).toEqual([]);
  });

  it('goes on, and proves what is new, from its compact range alone', () => {
    for (let from = 0; from <= SIZES; from += 7) {
      const beginning = rangeOf(from);
      const rest = new TreeRange(new CompactRange(from, beginning.hashes), leaves.slice(from));
      const range = beginning.copy();
      for (let index = from; index < SIZES; index++) {
        range.append(leaves[index]!);
        expect(rest.inclusionProof(index)).toEqual(tree.inclusionProof(index));
      }
      expect(rest.root()).toEqual(tree.root());
      expect(range.root()).toEqual(tree.root());
      expect(beginning.size).toBe(from);
      expect(() => rest.inclusionProof(from - 1)).toThrow(RangeError);
    }
  });
});

it('holds sizes that no shift operator does', () => {
  const size = 2 ** 40 + 1;
  const range = new CompactRange(size, [leaves[0]!, leaves[1]!]);
  range.append(leaves[2]!);
  expect(range.hashes).toEqual([leaves[0], nodeHashOf(leaves[1]!, leaves[2]!)]);
  const rest = new TreeRange(new CompactRange(size, [leaves[0]!, leaves[1]!]), [leaves[2]!]);
  const path = rest.inclusionProof(size);
  expect(verifyInclusion({ index: size, size: size + 1, root: range.root() }, leaves[2]!, path)).toBe(true);
});

it('refuses a frontier that is not of its size', () => {
  expect(() => new CompactRange(3, [leaves[0]!])).toThrow('a tree of 3');
  expect(() => new CompactRange(1, [Buffer.alloc(31)])).toThrow('32 bytes');
  expect(() => new CompactRange(-1)).toThrow(RangeError);
});

it('begins a log that had no tree with leaves of nothing, as many as it had records', () => {
  const range = new CompactRange();
  const nothing = leafHashOf(Buffer.alloc(0));
  for (let size = 0; size <= SIZES; size++) {
    expect([unknownBeginning(size).size, unknownBeginning(size).hashes]).toEqual([size, range.hashes]);
    range.append(nothing);
  }
  expect(() => unknownBeginning(-1)).toThrow(RangeError);
  expect(() => unknownBeginning(1.5)).toThrow(RangeError);
});
