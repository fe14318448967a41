export { CompactRange } from './compact-range.js';
export { LEAF_PREFIX_BYTES, type LogState, makeCheckpoint, type ReadCheckpoint, readCheckpoint } from './checkpoint.js';
export { commitmentTo, partsOf, recordLeafOf, type RecordParts } from './record-leaf.js';
export { isSignedBy, noteKeyOf, type NoteSignature, readNote, type SignedNote, signNote } from './signed-note.js';
export { EMPTY_ROOT, HASH_BYTES, leafHashOf, nodeHashOf } from './tree-hash.js';
export { rootOfInclusion, type TreeHead, verifyConsistency, verifyInclusion } from './tree-proof.js';
export { TreeRange } from './tree-range.js';
export { unknownBeginning } from './unknown-beginning.js';
