/** Bytes of one batch, unless a single message has more: a handler holds them twice, as they came and as it sends them. */
const BATCH_BYTES_MAX = 8_388_608;

/** Cuts what was fetched into batches, in order, of so many messages and 8 MiB at most. */
export function messagePieces<M extends { readonly value: Buffer | null }>(
  messages: readonly M[],
  messagesMax: number,
): M[][] {
  const pieces: M[][] = [];
  let bytes = Infinity;
  for (const message of messages) {
    const messageBytes = message.value?.length ?? 0;
    if (bytes + messageBytes > BATCH_BYTES_MAX || pieces.at(-1)!.length >= messagesMax) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)!.push(message);
    bytes += messageBytes;
  }
  return pieces;
}
