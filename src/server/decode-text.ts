/** Bytes. Node keeps a string of a mebibyte or more outside the heap, where it is collected late. */
const DECODED_AT_ONCE = 256 * 1024;

/** Returns the end of the piece that begins at `start`, between two characters of UTF-8. */
const endOfPiece = (bytes: Buffer, start: number): number => {
  const most = start + DECODED_AT_ONCE;
  if (most >= bytes.length) return bytes.length;
  for (let end = most; end > most - 4; end -= 1) if (((bytes[end] as number) & 0xc0) !== 0x80) return end;
  return most;
};

/** Decodes UTF-8 into a string in the heap, however long it is. */
export const decodeText = (bytes: Buffer): string => {
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = endOfPiece(bytes, start);
    pieces.push(bytes.toString('utf8', start, end));
    start = end;
  }
  return pieces.join('');
};
