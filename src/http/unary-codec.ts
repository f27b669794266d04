/**
 * Owns bytes to message and back for one method, in JSON and in binary, with what makes a request malformed. It refuses
 * to own envelopes, compression and headers.
 */
import { create, fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf';
import type { DescMessage, DescMethodUnary, Message, MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { UniversalHandlerOptions } from '@connectrpc/connect/protocol';
import { makeOnce } from '../domain/lasting.ts';
import { compileStrictEnums } from './strict-enums.ts';

export interface MessageCodec {
  readonly parse: (bytes: Uint8Array) => Message;
  readonly serialize: (message: Message) => Uint8Array;
}

export interface MethodCodecs {
  readonly json: MessageCodec;
  readonly binary: MessageCodec;
  /** Makes a whole message of what the implementation returned. */
  readonly complete: (output: MessageInitShape<DescMessage>) => Message;
}

type UnaryMethod = DescMethodUnary;

export function compileCodecs(
  { input, output }: UnaryMethod,
  options: UniversalHandlerOptions,
): MethodCodecs {
  const strictEnums = compileStrictEnums(input);
  const json = { ignoreUnknownFields: true, ...options.jsonOptions };
  const binary = options.binaryOptions;
  const withinLimits = (codec: MessageCodec) => limitSizes(codec, options);
  return {
    json: withinLimits({
      parse: (bytes) => {
        const text = decoder.decode(bytes);
        // What a JSON client sends that has nothing to say.
        if (text === '') return create(input);
        if (nestsTooDeep(text)) {
          throw new ConnectError(`JSON is nested deeper than ${MAX_DEPTH}`, Code.InvalidArgument);
        }
        try {
          // Parsed twice where there are enums (0.8 µs for 200 bytes): fromJsonString alone refuses duplicate keys,
          // and shows nobody what it parsed.
          if (strictEnums !== undefined) strictEnums.checkJson(parseJson(text, input));
          return fromJsonString(input, text, json);
        } catch (reason) {
          throw ConnectError.from(reason, Code.InvalidArgument);
        }
      },
      serialize: (message) => {
        try {
          // No slice of Node's pool, all of which would be kept with bytes that are.
          return encoder.encode(toJsonString(output, message, json));
        } catch (reason) {
          throw ConnectError.from(reason, Code.Internal);
        }
      },
    }),
    binary: withinLimits({
      parse: (bytes) => {
        let message: Message;
        try {
          message = fromBinary(input, bytes, binary);
        } catch (reason) {
          throw new ConnectError(`parse binary: ${messageOf(reason)}`, Code.InvalidArgument);
        }
        strictEnums?.checkMessage(message);
        return message;
      },
      serialize: (message) => {
        try {
          return toBinary(output, message, binary);
        } catch (reason) {
          throw new ConnectError(`serialize binary: ${messageOf(reason)}`, Code.Internal);
        }
      },
    }),
    complete: (message) => create(output, message),
  };
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function limitSizes(
  codec: MessageCodec,
  { readMaxBytes, writeMaxBytes }: UniversalHandlerOptions,
): MessageCodec {
  return {
    parse: (bytes) => {
      assertReadable(bytes.byteLength, readMaxBytes);
      return codec.parse(bytes);
    },
    // Of what lasts, once: with the reflection that it takes, this is a tenth of a Get and most of a List.
    serialize: makeOnce((message) => {
      const bytes = codec.serialize(message);
      if (bytes.byteLength > writeMaxBytes) {
        throw new ConnectError(
          `message size ${bytes.byteLength} is larger than configured writeMaxBytes ${writeMaxBytes}`,
          Code.ResourceExhausted,
        );
      }
      return bytes;
    }),
  };
}

/** `exact`: the whole size is known, not only that it is too much. */
export function assertReadable(size: number, readMaxBytes: number, exact = true): void {
  if (size <= readMaxBytes) return;
  throw new ConnectError(
    `message size ${exact ? `${size} ` : ''}is larger than configured readMaxBytes ${readMaxBytes}`,
    Code.ResourceExhausted,
  );
}

function parseJson(text: string, { typeName }: DescMessage): unknown {
  try {
    return JSON.parse(text);
  } catch (reason) {
    throw new Error(`cannot decode message ${typeName} from JSON: ${messageOf(reason)}`, {
      cause: reason,
    });
  }
}

/** The parser's own limit, which it does not apply inside fields that it ignores. */
const MAX_DEPTH = 100;

function nestsTooDeep(text: string): boolean {
  // So short a text cannot open and close that often.
  if (text.length <= 2 * MAX_DEPTH) return false;
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (quoted) {
      if (char === 0x5c /* \ */) index++;
      else if (char === 0x22 /* " */) quoted = false;
    } else if (char === 0x22) {
      quoted = true;
    } else if (char === 0x7b /* { */ || char === 0x5b /* [ */) {
      if (++depth > MAX_DEPTH) return true;
    } else if (char === 0x7d /* } */ || char === 0x5d /* ] */) {
      depth--;
    }
  }
  return false;
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
