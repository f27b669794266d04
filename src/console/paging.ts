/** Owns how the console walks lists: in pages of one size, the next when it is asked for. */
import type { PaginationResponse } from '../../gen/gitpod/v1/pagination_pb.ts';

const PAGE_SIZE = 50;

export const FIRST_PAGE = { pageSize: PAGE_SIZE, token: '' } as const;

interface ListResponse {
  readonly pagination?: PaginationResponse | undefined;
}

/** For `useInfiniteQuery`; the request begins with `pagination: FIRST_PAGE`. */
export const BY_PAGES = {
  pageParamKey: 'pagination',
  getNextPageParam: ({ pagination }: ListResponse) =>
    pagination === undefined || pagination.nextToken === ''
      ? undefined
      : { pageSize: PAGE_SIZE, token: pagination.nextToken },
} as const;
