/**
 * Owns what every call passes through, outermost first: what its caller may know of a failure, pagination from the URL,
 * the schema's rules. Who calls was settled before (`request-gate.ts`), and unary calls are recorded after, when they
 * have been answered.
 */
import type { ConnectError, Interceptor } from '@connectrpc/connect';
import { createValidateInterceptor } from '@connectrpc/validate';

import type { Environment } from '../domain/ports.ts';
import { describeCall } from './call-record.ts';
import type { ObserveCall, RpcProtocol } from './call-record.ts';
import { noteRefusal } from './note-refusal.ts';
import { refuseCall } from './refuse-call.ts';
import { mergeQueryPagination } from './query-pagination.ts';
import { createRequestValidator } from './request-validator.ts';

export function createInterceptors(
  env: Pick<Environment, 'refusals'>,
  observe: ObserveCall,
): Interceptor[] {
  return [
    createRefuser(env, observe),
    mergeQueryPagination,
    createValidateInterceptor({ validator: createRequestValidator() }),
  ];
}

function createRefuser(env: Pick<Environment, 'refusals'>, observe: ObserveCall): Interceptor {
  return (next) => async (request) => {
    const { contextValues: values, method, header } = request;
    const startedAt = performance.now();
    /** A stream may last for ever: it is told of when its answer begins. */
    const observeStream = (error?: ConnectError): void => {
      if (!request.stream) return;
      observe(describeCall({ method, protocol: readProtocol(header), values, startedAt, error }));
    };
    try {
      const response = await next(request);
      observeStream();
      return response;
    } catch (reason) {
      if (!request.stream) noteRefusal(env, request, reason);
      const error = refuseCall(values, reason);
      observeStream(error);
      throw error;
    }
  };
}

function readProtocol(header: Headers): RpcProtocol {
  const [, protocol] =
    /^application\/(grpc-web|grpc)\b/.exec(header.get('content-type') ?? '') ?? [];
  return protocol === 'grpc' || protocol === 'grpc-web' ? protocol : 'connect';
}
