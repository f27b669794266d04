/**
 * Owns what every call passes through, outermost first: the record of how it went, pagination from the URL, the
 * schema's rules. Who calls was settled before (`request-gate.ts`).
 */
import type { Interceptor } from '@connectrpc/connect';
import { createValidateInterceptor } from '@connectrpc/validate';

import { principalKey, requestIdKey } from './caller.ts';
import { recordFailure, recordSuccess } from './call-record.ts';
import type { ObserveCall } from './call-record.ts';
import { mergeQueryPagination } from './query-pagination.ts';
import { createRequestValidator } from './request-validator.ts';

export function createInterceptors(observe: ObserveCall): Interceptor[] {
  return [
    createObserver(observe),
    mergeQueryPagination,
    createValidateInterceptor({ validator: createRequestValidator() }),
  ];
}

function createObserver(observe: ObserveCall): Interceptor {
  return (next) => async (request) => {
    const call = {
      requestId: request.contextValues.get(requestIdKey),
      userId: request.contextValues.get(principalKey)?.userId,
      method: request.method,
      startedAt: performance.now(),
    };
    try {
      const response = await next(request);
      recordSuccess(observe, call);
      return response;
    } catch (reason) {
      throw recordFailure(observe, call, reason);
    }
  };
}
