/** Characters that two neighbouring pieces share, so that what a border cuts stands whole in one of them. */
const OVERLAP = 256;
/** Requests for one text. */
export const PIECES_MAX = 16;

export interface Piece {
  /** Where it stands in the text, in UTF-16 units. */
  readonly start: number;
  readonly text: string;
}

/** The text in pieces of `charsMax` at most; undefined where it takes too many. No piece cuts a character in two. */
export function piecesOf(text: string, charsMax: number): readonly Piece[] | undefined {
  if (text.length <= charsMax) return [{ start: 0, text }];
  const pieces: Piece[] = [];
  for (let start = 0; start < text.length;) {
    if (pieces.length === PIECES_MAX) return undefined;
    const end = whole(text, Math.min(start + charsMax, text.length));
    pieces.push({ start, text: text.slice(start, end) });
    if (end === text.length) break;
    start = whole(text, end - OVERLAP);
  }
  return pieces;
}

function whole(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
