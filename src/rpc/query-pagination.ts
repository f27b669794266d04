/**
 * Owns one habit of the published JSON clients: they ask for further pages by the URL's `token` and `pageSize` and
 * repeat the first body. The URL's values win over the body's.
 */
import { create } from '@bufbuild/protobuf';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { UnaryRequest } from '@connectrpc/connect';

import { createViolationError } from '../domain/errors.ts';
import { PaginationRequestSchema } from '../../gen/gitpod/v1/pagination_pb.ts';
import type { PaginationRequest } from '../../gen/gitpod/v1/pagination_pb.ts';
import { searchKey } from './caller.ts';

type Paged = Message & { pagination?: PaginationRequest };

export function mergeQueryPagination({ message, method, contextValues }: UnaryRequest): void {
  if (!isPaged(message, method.input)) return;
  const search = contextValues.get(searchKey)();
  if (search === '') return;
  const query = new URLSearchParams(search);
  const token = query.get('token');
  const pageSize = query.get('pageSize');
  const pagination = (message.pagination ??= create(PaginationRequestSchema));
  if (token !== null) pagination.token = token;
  if (pageSize !== null) pagination.pageSize = parsePageSize(pageSize);
}

function isPaged(_message: Message, { field }: DescMessage): _message is Paged {
  return field['pagination']?.message?.typeName === PaginationRequestSchema.typeName;
}

function parsePageSize(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw createViolationError([
    { field: 'pagination.page_size', rule: 'page_size', message: 'must be a whole number' },
  ]);
}
