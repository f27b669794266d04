/**
 * Serves `grpc.reflection.v1.ServerReflection`, and v1alpha for older tools:
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md. The schema is public, so nobody is asked who they
 * are. Where to find a thing is known by `schema-index.ts`.
 */
import type { DescFile, DescService } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';

import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.ts';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { createSchemaIndex } from './schema-index.ts';
import type { SchemaIndex } from './schema-index.ts';

/** What both versions have in common: all but the names of their types. */
type Plain<T> = T extends Uint8Array | bigint | string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { [K in keyof T as K extends '$typeName' | '$unknown' ? never : K]: Plain<T[K]> }
      : T;
type Request = Plain<ServerReflectionRequest>;
type Response = Plain<ServerReflectionResponse>;
type Answer = Response['messageResponse'];

export interface ReflectionService {
  readonly serverReflectionInfo: (requests: AsyncIterable<Request>) => AsyncGenerator<Response>;
}

/** @param services - those to be listed; they, all that they use, and the details of errors can be asked for. */
export function createReflectionService(services: readonly DescService[]): ReflectionService {
  const index = createSchemaIndex([
    ...services.map(({ file }) => file),
    file_google_rpc_error_details,
  ]);
  return {
    async *serverReflectionInfo(requests) {
      const sent = new Set<DescFile>();
      for await (const { host, messageRequest } of requests) {
        const originalRequest = { host, messageRequest: copyQuestion(messageRequest) };
        const messageResponse = answer(messageRequest, { index, services, sent });
        yield { validHost: host, originalRequest, messageResponse };
      }
    },
  };
}

interface Knowledge {
  readonly index: SchemaIndex;
  readonly services: readonly DescService[];
  /** The files that this caller has by now. */
  readonly sent: Set<DescFile>;
}

function answer(question: Request['messageRequest'], { index, services, sent }: Knowledge): Answer {
  switch (question.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: services.map(({ typeName }) => ({ name: typeName })) },
      };
    case 'fileByFilename':
      return describeFile(index.findFile(question.value));
    case 'fileContainingSymbol':
      return describeFile(index.findSymbol(question.value));
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      return describeFile(index.findExtension(containingType, extensionNumber));
    }
    case 'allExtensionNumbersOfType': {
      const numbers = index.listExtensions(question.value);
      if (numbers === undefined) return refuse(Code.NotFound, 'no such type');
      return {
        case: 'allExtensionNumbersResponse',
        value: { baseTypeName: question.value, extensionNumber: [...numbers] },
      };
    }
    case undefined:
      return refuse(Code.InvalidArgument, 'nothing was asked');
  }

  function describeFile(file: DescFile | undefined): Answer {
    if (file === undefined) return refuse(Code.NotFound, 'not found');
    // What was asked for, again if need be, and what it imports and the caller has not.
    sent.delete(file);
    const files = takeFiles(file, sent);
    return {
      case: 'fileDescriptorResponse',
      value: { fileDescriptorProto: files.map((each) => index.serialize(each)) },
    };
  }
}

function takeFiles(file: DescFile, sent: Set<DescFile>): DescFile[] {
  if (sent.has(file)) return [];
  sent.add(file);
  return [file, ...file.dependencies.flatMap((imported) => takeFiles(imported, sent))];
}

function refuse(errorCode: number, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

/** The message in it is of the caller's version. */
function copyQuestion(question: Request['messageRequest']): Request['messageRequest'] {
  if (question.case !== 'fileContainingExtension') return question;
  const { containingType, extensionNumber } = question.value;
  return { case: question.case, value: { containingType, extensionNumber } };
}
