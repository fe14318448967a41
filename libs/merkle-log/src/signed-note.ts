import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

const KEY_ID_BYTES = 4;
const ED25519 = 1;
const RAW_KEY_BYTES = 32;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;

/** A text and the signature lines below it. */
export interface SignedNote {
  /** The signed text, its last line feed included. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** The first bytes of a hash over name and key: tells which key to try, and proves nothing. */
  readonly keyId: Buffer;
  readonly signature: Buffer;
}

/**
 * The note with one signature (C2SP signed-note).
 * @param text - lines, each ended by a line feed, none of them empty
 * @param name - the key's name: no space, no plus
 * @param privateKey - Ed25519
 */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  if (!text.endsWith('\n') || text.includes('\n\n')) throw new RangeError('a note is of lines that are not empty');
  if (name === '' || /[\s+]/.test(name)) throw new RangeError(`'${name}' is no name of a key`);
  const line = Buffer.concat([keyIdOf(name, privateKey), sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n— ${name} ${line.toString('base64')}\n`;
}

/** The parts of a note, or `undefined` where it is none. */
export function readNote(note: string): SignedNote | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
    if (name === undefined || encoded === undefined) return undefined;
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length <= KEY_ID_BYTES) return undefined;
    signatures.push({ name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) });
  }
  return { text: note.slice(0, end + 1), signatures };
}

/** Whether one of the note's signatures under that name is of this key. */
export function isSignedBy(note: SignedNote, name: string, key: KeyObject): boolean {
  const keyId = keyIdOf(name, key);
  return note.signatures.some(
    (line) =>
      line.name === name && line.keyId.equals(keyId) && verify(null, Buffer.from(note.text), key, line.signature),
  );
}

/** The key as other tools for signed notes take it: `<name>+<key id>+<base64>`. */
export function noteKeyOf(name: string, key: KeyObject): string {
  const encoded = Buffer.concat([Buffer.from([ED25519]), rawKeyOf(key)]).toString('base64');
  return `${name}+${keyIdOf(name, key).toString('hex')}+${encoded}`;
}

function keyIdOf(name: string, key: KeyObject): Buffer {
  const hash = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([ED25519]))
    .update(rawKeyOf(key));
  return hash.digest().subarray(0, KEY_ID_BYTES);
}

/** The 32 bytes of the public key, of either half of the pair. */
function rawKeyOf(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ed25519') throw new RangeError('a note is signed with an Ed25519 key');
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-RAW_KEY_BYTES);
}
