/**
 * Owns the handing on of a stream's body in whole envelopes. Whoever takes them apart (connect-es) counts all that it
 * holds with each chunk, so that 400 kB in chunks of one byte would keep the process from everything else for half a
 * minute. It refuses to judge: what is too large, or cut short, is handed on for that.
 */

/** One byte of flags, four of length. */
const HEAD_BYTES = 5;

/** @param readMaxBytes of one envelope; one that announces more is handed on as far as it has come */
export async function* gatherEnvelopes(
  chunks: AsyncIterable<Buffer>,
  readMaxBytes: number,
): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  let wanted = HEAD_BYTES;
  for await (const chunk of chunks) {
    held.push(chunk);
    size += chunk.length;
    if (size < wanted) continue;
    const bytes = Buffer.concat(held);
    const { end, next } = measureWhole(bytes, readMaxBytes);
    if (end > 0) yield bytes.subarray(0, end);
    held = [bytes.subarray(end)];
    size -= end;
    wanted = next;
  }
  if (size > 0) yield Buffer.concat(held);
}

/** Where the last whole envelope ends, and how many bytes from there on the next look is worth. */
function measureWhole(
  bytes: Buffer,
  readMaxBytes: number,
): { readonly end: number; readonly next: number } {
  let end = 0;
  while (bytes.length - end >= HEAD_BYTES) {
    const length = bytes.readUInt32BE(end + 1);
    if (length > readMaxBytes) return { end: bytes.length, next: HEAD_BYTES };
    const next = HEAD_BYTES + length;
    if (bytes.length - end < next) return { end, next };
    end += next;
  }
  return { end, next: HEAD_BYTES };
}
