/** Owns the way through the pages of a list. */
import type { CallOptions } from '@connectrpc/connect';

import type { PaginationResponse } from '../../gen/gitpod/v1/pagination_pb.ts';
import { ClaimgateError, toClaimgateError } from './claimgate-error.ts';

/** What every response of a list RPC has: rows in its one list, and the token of the next page. */
interface ListResponse {
  readonly $typeName: string;
  readonly pagination?: PaginationResponse | undefined;
}

type ListCall<Request, Response> = (request: Request, options?: CallOptions) => Promise<Response>;

/** The rows of a list response: what its only list holds. */
export type RowOf<Response> = {
  [Name in keyof Response]-?: Name extends `$${string}`
    ? never
    : Response[Name] extends readonly (infer Row)[]
      ? Row
      : never;
}[keyof Response];

/** How a list is walked. `timeoutMs`, `signal` and `headers` hold for the call of each page. */
export interface ListAllOptions extends CallOptions {
  /** Rows to fetch with each call, 1 to 100. Default 100. It changes the number of calls, never the rows. */
  readonly pageSize?: number;
}

const DEFAULT_PAGE_SIZE = 100;

/**
 * All rows of a list, page by page, each fetched when its first row is asked for. Leaving the loop early fetches no
 * more.
 *
 * ```ts
 * for await (const configuration of listAll(client.organizations.listSSOConfigurations, { organizationId })) {
 *   console.log(configuration.issuerUrl);
 * }
 * ```
 *
 * Rows that others add or remove meanwhile may or may not be seen; all others are seen once. Throws `ClaimgateError`:
 * what the call throws, `canceled` once `signal` is aborted, between rows too, and `internal` where a server would lead
 * in a circle.
 */
export async function* listAll<Request extends object, Response extends ListResponse>(
  call: ListCall<Request, Response>,
  request: Omit<Request, 'pagination' | '$typeName'>,
  options: ListAllOptions = {},
): AsyncGenerator<RowOf<Response>, void, undefined> {
  const { pageSize = DEFAULT_PAGE_SIZE, ...callOptions } = options;
  let token = '';
  do {
    // The request without its `pagination` is a Request once that is put back; the type system cannot see it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const page = { ...request, pagination: { pageSize, token } } as unknown as Request;
    const response = await call(page, callOptions);
    for (const row of pickRows(response)) {
      throwIfAborted(callOptions.signal);
      yield row;
    }
    throwIfAborted(callOptions.signal);
    const nextToken = response.pagination?.nextToken ?? '';
    if (nextToken !== '' && nextToken === token) {
      throw new ClaimgateError(
        'internal',
        'The server answered with the token of the same page again.',
      );
    }
    token = nextToken;
  } while (token !== '');
}

/** Lists are always present in a decoded message, and each list response has exactly one. */
function pickRows<Response extends ListResponse>(response: Response): readonly RowOf<Response>[] {
  const lists = Object.entries(response).filter(
    ([name, value]) => !name.startsWith('$') && Array.isArray(value),
  );
  const [[, rows] = []] = lists;
  if (lists.length !== 1)
    throw new TypeError(`${response.$typeName} is no response of a list RPC.`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- RowOf says the same of the type.
  return rows as readonly RowOf<Response>[];
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw toClaimgateError(new DOMException('This list was aborted.', 'AbortError'));
}
