/** Bytes of a frame's data that are read; an answer of more is no RELP. */
const DATA_BYTES_MAX = 131_072;
/** Transaction number, command of up to 32 characters, length of the data: with their spaces. */
const HEADER_BYTES_MAX = 64;
const HEADER = /^(?<txnr>\d{1,9}) (?<command>[A-Za-z]{1,32}) (?<length>\d{1,9})(?<end>[ \n])/;

/** One frame of the receiver. */
export interface RelpFrame {
  readonly txnr: number;
  readonly command: string;
  readonly data: Buffer;
}

/** `TXNR SP COMMAND SP DATALEN [SP DATA] LF`, the one form of RELP in both directions. */
export function relpFrame(txnr: number, command: string, data: Buffer): Buffer {
  const head = Buffer.from(`${txnr} ${command} ${data.length}${data.length > 0 ? ' ' : ''}`, 'latin1');
  return Buffer.concat([head, data, LINE_FEED]);
}

const LINE_FEED = Buffer.from('\n');

/** Puts the frames of a stream together again. */
export class RelpReader {
  private rest = Buffer.alloc(0);

  /**
   * @returns the frames that these bytes complete
   * @throws Error when the stream is no RELP
   */
  take(bytes: Buffer): RelpFrame[] {
    this.rest = this.rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
    const frames: RelpFrame[] = [];
    for (let frame = this.next(); frame !== undefined; frame = this.next()) frames.push(frame);
    return frames;
  }

  private next(): RelpFrame | undefined {
    const header = HEADER.exec(this.rest.subarray(0, HEADER_BYTES_MAX).toString('latin1'));
    if (header?.groups === undefined) {
      if (this.rest.length >= HEADER_BYTES_MAX) throw new Error('the receiver does not speak RELP');
      return undefined;
    }
    const { txnr, command, length, end } = header.groups;
    const dataBytes = Number(length);
    if (dataBytes > DATA_BYTES_MAX) throw new Error('the receiver answers more than RELP allows');
    // Without data the line feed stands where the space would.
    const start = header[0].length;
    const isBare = end === '\n';
    if (isBare && dataBytes > 0) throw new Error('the receiver does not speak RELP');
    const stop = isBare ? start - 1 : start + dataBytes;
    if (this.rest.length <= stop) return undefined;
    if (this.rest[stop] !== LINE_FEED[0]) throw new Error('the receiver does not speak RELP');
    const data = this.rest.subarray(start, Math.max(start, stop));
    this.rest = this.rest.subarray(stop + 1);
    return { txnr: Number(txnr), command: command!, data: isBare ? Buffer.alloc(0) : data };
  }
}
