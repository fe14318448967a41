import { describe, expect, it } from 'vitest';
import { HttpDestination, type HttpProtocol } from './http-destination.js';
import { deadline, exportRecord, exportRecords } from './http-destination.scene.js';
import type { Rendered } from './rendered.js';

/** Takes what it is given, a part of at most `bodyBytesMax` bytes at a time, unless `judge` says otherwise. */
class Receiver implements HttpProtocol {
  readonly parts: string[][] = [];
  judge: HttpProtocol['post'] = async (part, settle) => {
    settle.delivered(part);
    return [];
  };

  render({ text }: { text: string }): string {
    if (text === 'no record') throw new TypeError('canary');
    return text;
  }

  async post(...given: Parameters<HttpProtocol['post']>): ReturnType<HttpProtocol['post']> {
    this.parts.push(given[0].map(({ record }) => record.key));
    return this.judge(...given);
  }

  async close(): Promise<void> {}
}

function start(bodyBytesMax = 1e6): { receiver: Receiver; destination: HttpDestination } {
  const receiver = new Receiver();
  const clock = { wallMs: () => 0, monotonicMs: () => 0 };
  return { receiver, destination: new HttpDestination(receiver, bodyBytesMax, clock) };
}

const keys = (rendered: readonly Rendered[]) => rendered.map(({ record }) => record.key);

describe('a destination that posts', () => {
  it('sends a record that comes several times in a batch once', async () => {
    const { receiver, destination } = start();
    const [a, b] = [exportRecord(1), exportRecord(2)];
    expect(await destination.send([a, b, a, a, b], deadline().signal)).toEqual([]);
    expect(receiver.parts).toEqual([[a.key, b.key]]);
  });

  it('refuses a record that has no text in the format and sends the others, without its words', async () => {
    const { receiver, destination } = start();
    const odd = { ...exportRecord(1), text: 'no record' };
    const reason = "cannot be written in the receiver's format (TypeError)";
    expect(await destination.send([odd, exportRecord(2)], deadline().signal)).toEqual([{ record: odd, reason }]);
    expect(receiver.parts).toEqual([[exportRecord(2).key]]);
  });

  it('sends parts in order and within the bound of a body', async () => {
    const { receiver, destination } = start(Buffer.byteLength(exportRecord(1).text) * 2 + 10);
    await destination.send(exportRecords(5), deadline().signal);
    expect(receiver.parts.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(receiver.parts.flat()).toEqual(exportRecords(5).map(({ key }) => key));
  });

  it('sends again only what a failed try left open, and tells a refusal once the batch is taken', async () => {
    const { receiver, destination } = start();
    const batch = exportRecords(4);
    const well = receiver.judge;
    receiver.judge = async (part, settle) => {
      settle.delivered(part.slice(0, 1));
      settle.refused(part.slice(1, 2), 'too blue');
      throw new Error('away');
    };
    await expect(destination.send(batch, deadline().signal)).rejects.toThrow('away');
    receiver.judge = well;
    expect(await destination.send(batch, deadline().signal)).toEqual([{ record: batch[1], reason: 'too blue' }]);
    expect(receiver.parts[1]).toEqual([batch[2]?.key, batch[3]?.key]);
    // A rewind brings the same records again, and then they are sent.
    expect(await destination.send(batch, deadline().signal)).toEqual([]);
    expect(receiver.parts[2]).toEqual(batch.map(({ key }) => key));
  });

  it('does not take silence about a record for an acknowledgement', async () => {
    const { receiver, destination } = start();
    receiver.judge = async (part, settle) => {
      settle.delivered(part.filter((one) => !keys([one]).includes(exportRecord(1).key)));
      return [];
    };
    await expect(destination.send(exportRecords(3), deadline().signal)).rejects.toThrow(
      '1 records of the batch are not',
    );
  });
});
