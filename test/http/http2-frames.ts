// Owns HTTP/2 frames as bytes (RFC 9113, 4 and 6; RFC 7541), for tests that a well-behaved client cannot write.

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const frameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export function makeFrame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

export const settings = makeFrame(frameType.settings, 0, 0);
export const settingsAcknowledged = makeFrame(frameType.settings, 1, 0);

/** A setting of ours, by its number (RFC 9113, 6.5.2). */
export function makeSettings(id: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(id, 0);
  payload.writeUInt32BE(value, 2);
  return makeFrame(frameType.settings, 0, 0, payload);
}

const staticGet = 0x82;
const staticPost = 0x83;
const staticHttp = 0x86;
const staticPath = 0x84;

function encodeInteger(value: number, prefixBits: number, firstByte: number): number[] {
  const largest = 2 ** prefixBits - 1;
  if (value < largest) {
    return [firstByte | value];
  }
  const bytes = [firstByte | largest];
  let rest = value - largest;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function encodeText(text: string): Buffer {
  return Buffer.concat([
    Buffer.from(encodeInteger(text.length, 7, 0)),
    Buffer.from(text, 'latin1'),
  ]);
}

/** A header block: the pseudo-headers of a request to "/", then the fields, never indexed. */
export function encodeHeaders(
  method: 'GET' | 'POST',
  fields: readonly (readonly [string, string])[] = [],
): Buffer {
  const authority = Buffer.concat([Buffer.of(0x01), encodeText('localhost')]);
  return Buffer.concat([
    Buffer.of(method === 'GET' ? staticGet : staticPost, staticHttp, staticPath),
    authority,
    ...fields.map(([name, value]) =>
      Buffer.concat([Buffer.of(0x00), encodeText(name), encodeText(value)]),
    ),
  ]);
}

const endStream = 0x1;
const endHeaders = 0x4;

/** A HEADERS frame, and CONTINUATION frames where the block is larger than a frame may be. */
export function makeRequest(
  streamId: number,
  method: 'GET' | 'POST',
  fields: readonly (readonly [string, string])[] = [],
): Buffer {
  const block = encodeHeaders(method, fields);
  const largest = 16_384;
  const parts: Buffer[] = [];
  for (let offset = 0; offset < block.length; offset += largest) {
    const isFirst = offset === 0;
    const isLast = offset + largest >= block.length;
    const flags = (isLast ? endHeaders : 0) | (isFirst && method === 'GET' ? endStream : 0);
    parts.push(
      makeFrame(
        isFirst ? frameType.headers : frameType.continuation,
        flags,
        streamId,
        block.subarray(offset, offset + largest),
      ),
    );
  }
  return Buffer.concat(parts);
}

export function makeReset(streamId: number): Buffer {
  return makeFrame(frameType.resetStream, 0, streamId, Buffer.of(0, 0, 0, 8));
}

export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
};

/** The whole frames at the beginning of the bytes. */
export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let offset = 0;
  while (offset + 9 <= bytes.length) {
    const length = bytes.readUIntBE(offset, 3);
    if (offset + 9 + length > bytes.length) {
      break;
    }
    frames.push({
      type: bytes.readUInt8(offset + 3),
      flags: bytes.readUInt8(offset + 4),
      streamId: bytes.readUInt32BE(offset + 5) & 0x7f_ff_ff_ff,
      payload: bytes.subarray(offset + 9, offset + 9 + length),
    });
    offset += 9 + length;
  }
  return frames;
}
