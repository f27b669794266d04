/** Owns what a method is in OpenAPI: a POST, and for those that change nothing a GET too. */
import type { DescMethodUnary, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';

import { needsCredentials } from '../../src/domain/access.ts';
import { readComment } from './comments.ts';
import type { Methods, Operation } from './document.ts';
import { referToErrors } from './errors.ts';
import { createExample } from './examples.ts';
import type { SchemaCollection } from './schemas.ts';

/** Headers that some methods listen to, as their comments say. */
const HEADERS: Readonly<Record<string, readonly unknown[]>> = {
  CreateSSOConfiguration: [
    header(
      'Claimgate-Initial-State',
      '`inactive` makes it so that nobody can sign in through it yet.',
      {
        type: 'string',
        enum: ['inactive', 'active'],
      },
    ),
  ],
  UpdateSSOConfiguration: [
    header('Claimgate-Preview', '`enforce` refuses a change that would shut people out.', {
      type: 'string',
      enum: ['enforce', 'off'],
    }),
  ],
};

/** What every call may say of itself. */
export const commonParameters: Readonly<Record<string, unknown>> = {
  Timeout: header(
    'Connect-Timeout-Ms',
    'How long the call may take, in milliseconds; 25 s unless given.',
    {
      type: 'integer',
      minimum: 1,
      maximum: 300_000,
    },
  ),
  Token: query('token', 'The page, as `nextToken` of the last answer has it. Wins over the body.', {
    type: 'string',
  }),
  PageSize: query('pageSize', 'Rows on a page, 25 unless given. Wins over the body.', {
    type: 'integer',
    minimum: 0,
    maximum: 100,
  }),
  Encoding: {
    ...query('encoding', 'How `message` is written.', { type: 'string', const: 'json' }),
    required: true,
  },
};

export function describeMethod(
  service: DescService,
  method: DescMethodUnary,
  schemas: SchemaCollection,
): Methods {
  const isOpen = !needsCredentials(service.typeName);
  const comment = readComment(method);
  const [summary = method.name, description] = splitSummary(comment);
  const shared = {
    tags: [service.typeName],
    summary,
    ...(description !== undefined && { description }),
    ...(isOpen && { security: [] }),
  };
  const input = {
    schema: schemas.refer(method.input, 'request'),
    example: createExample(method.input, 'request'),
  };
  const success = {
    description: readComment(method.output) || 'Done.',
    headers: { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } },
    content: {
      'application/json': {
        schema: schemas.refer(method.output, 'answer'),
        example: createExample(method.output, 'answer'),
      },
    },
  };
  const respond = (takesBody: boolean) => ({
    '200': success,
    ...referToErrors(`${readComment(service)}\n${comment}`, {
      needsCredentials: !isOpen,
      takesBody,
    }),
  });
  const isList = method.input.fields.some(({ name }) => name === 'pagination');
  const post: Methods['post'] = {
    operationId: `${service.name}_${method.name}`,
    ...shared,
    parameters: [
      refer('Timeout'),
      ...(isList ? [refer('Token'), refer('PageSize')] : []),
      ...(HEADERS[method.name] ?? []),
    ],
    requestBody: { required: true, content: { 'application/json': input } },
    responses: respond(true),
  };
  if (method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) return { post };
  const get: Operation = {
    operationId: `${service.name}_${method.name}_get`,
    ...shared,
    parameters: [
      refer('Timeout'),
      refer('Encoding'),
      {
        name: 'message',
        in: 'query',
        required: true,
        description: 'The request, in JSON.',
        content: { 'application/json': input },
      },
    ],
    responses: respond(false),
  };
  return { post, get };
}

/** The first sentence, and what comes after it; all of it again where the sentence goes on behind a colon. */
function splitSummary(comment: string): string[] {
  const [, first = comment, end = '', rest = ''] =
    /^(.*?)([.:])(?:\s+([^]*))?$/.exec(comment) ?? [];
  if (end === ':') return [`${first}.`, comment];
  return rest === '' ? [`${first}${end}`] : [`${first}${end}`, rest];
}

function refer(name: string): unknown {
  return { $ref: `#/components/parameters/${name}` };
}

function header(name: string, description: string, schema: object) {
  return { name, in: 'header', description, schema };
}

function query(name: string, description: string, schema: object) {
  return { name, in: 'query', description, schema };
}
