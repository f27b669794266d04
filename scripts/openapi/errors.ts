/**
 * Owns what errors look like in OpenAPI: one answer for each HTTP status, with the codes that have it. Which code has which
 * status is asked of the library that sends them, so that the document cannot differ.
 */
import { Code } from '@connectrpc/connect';
import {
  codeFromString,
  codeToHttpStatus,
  codeToString,
} from '@connectrpc/connect/protocol-connect';

import type { JsonSchema, Reference } from './document.ts';

/** What a call can end with, and when. `canceled` reaches nobody, and what is not listed is never answered. */
const CODES: readonly (readonly [Code, string])[] = [
  [Code.InvalidArgument, 'A field breaks a rule, or the body cannot be read.'],
  [Code.FailedPrecondition, 'The state of things does not allow it.'],
  [Code.Unauthenticated, 'No valid credentials.'],
  [Code.PermissionDenied, 'A read-only token, or the role does not suffice.'],
  [Code.NotFound, 'No such thing, for this caller.'],
  [Code.AlreadyExists, 'The same thing is there.'],
  [Code.Aborted, 'Somebody changed or deleted it at the same time. Read it again, then try again.'],
  [Code.ResourceExhausted, 'Larger than 64 KiB, too often, or the database has no space left.'],
  [Code.Internal, 'A failing of ours; the log has the cause under the request id.'],
  [Code.Unavailable, 'The database or DNS does not answer, or the server is ending. Try again.'],
  [Code.DeadlineExceeded, 'The deadline passed.'],
];

/** Answers that come before there is a call, by their HTTP status: they have no body of ours. */
const BARE: Readonly<Record<string, string>> = {
  '408': 'The request took too long to arrive.',
  '415':
    'The Content-Type of the body, or the `encoding` of a GET, is not spoken here, such as none.',
  '431': 'The request line and the headers have more than 16 KiB.',
};

/** Codes that every method can end with. */
const ALWAYS: readonly Code[] = [
  Code.InvalidArgument,
  Code.ResourceExhausted,
  Code.Internal,
  Code.Unavailable,
  Code.DeadlineExceeded,
];
const WITH_CREDENTIALS: readonly Code[] = [Code.Unauthenticated, Code.PermissionDenied];

export const errorSchemas: Readonly<Record<string, JsonSchema>> = {
  Error: {
    type: 'object',
    description:
      'Why a call failed, in the form of the Connect protocol: https://connectrpc.com/docs/protocol#error-end-stream.',
    properties: {
      code: {
        type: 'string',
        description: 'What kind of failure it is. To switch on.',
        enum: [...CODES.map(([code]) => codeToString(code)), codeToString(Code.Unimplemented)],
      },
      message: { type: 'string', description: 'What was wrong, and what to do. For people.' },
      details: { type: 'array', items: { $ref: '#/components/schemas/ErrorDetail' } },
    },
    required: ['code'],
  },
  ErrorDetail: {
    type: 'object',
    description:
      'A message for programs: `google.rpc.ErrorInfo` with the `reason`, `google.rpc.BadRequest` and `buf.validate.Violations` with the fields that break a rule, `google.rpc.RetryInfo` with the time to wait.',
    properties: {
      type: { type: 'string', description: 'The full name of the message.' },
      value: { type: 'string', description: 'The message in binary, as base64 without padding.' },
      debug: { type: 'object', description: 'The message in JSON.' },
    },
    required: ['type', 'value'],
  },
};

export const errorHeaders: Readonly<Record<string, unknown>> = {
  'X-Request-Id': header('Names the request in the log.', { type: 'string' }),
  'Retry-After': header('How long to wait, in seconds.', { type: 'string' }),
  'Retry-After-Ms': header('How long to wait, in milliseconds.', { type: 'string' }),
  'X-Should-Retry': header('`false` on errors that the same request cannot get over.', {
    type: 'string',
    const: 'false',
  }),
};

/** All answers to errors, to be referred to by their status. */
export function describeErrorResponses(): Readonly<
  Record<string, { readonly description: string }>
> {
  const byStatus = Map.groupBy(CODES, ([code]) => String(codeToHttpStatus(code)));
  const coded = [...byStatus].map(([status, codes]) => [status, describeResponse(status, codes)]);
  const bare = Object.entries(BARE).map(([status, description]) => [status, { description }]);
  const named = [...coded, ...bare].map(([status, response]) => [nameResponse(status), response]);
  return Object.fromEntries(named);
}

/** References to the answers that a method can give, by status. Its comment names the codes that only some have. */
export function referToErrors(
  comment: string,
  {
    needsCredentials,
    takesBody,
  }: { readonly needsCredentials: boolean; readonly takesBody: boolean },
): Readonly<Record<string, Reference>> {
  const named = [...comment.matchAll(/`([a-z_]+)`/g)].flatMap(([, name = '']) => {
    const code = codeFromString(name);
    return code === undefined ? [] : [code];
  });
  const codes = new Set([...ALWAYS, ...named, ...(needsCredentials ? WITH_CREDENTIALS : [])]);
  const statuses = new Set([
    // Of a path that is not served; and of ids that another caller may see.
    '404',
    ...CODES.filter(([code]) => codes.has(code)).map(([code]) => String(codeToHttpStatus(code))),
    // What something belongs to may go while it is written.
    ...(takesBody ? ['409'] : []),
    '408',
    '415',
    '431',
  ]);
  return Object.fromEntries(
    [...statuses]
      .toSorted()
      .map((status) => [status, { $ref: `#/components/responses/${nameResponse(status)}` }]),
  );
}

function nameResponse(status: unknown): string {
  return `Error${String(status)}`;
}

function describeResponse(status: string, codes: readonly (readonly [Code, string])[]) {
  const names = codes.map(([code]) => codeToString(code));
  const lines = codes.map(([code, when]) => `- \`${codeToString(code)}\`: ${when}`);
  if (status === '404') {
    lines.push('- `unimplemented`: This method is not served.');
    names.push(codeToString(Code.Unimplemented));
  }
  return {
    description: lines.join('\n'),
    headers: Object.fromEntries(
      Object.keys(errorHeaders).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ),
    content: {
      'application/json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Error' },
            { properties: { code: { enum: names } } },
          ],
        },
        example: { code: names[0], message: codes[0]?.[1] },
      },
    },
  };
}

function header(description: string, schema: JsonSchema): unknown {
  return { description, schema };
}
