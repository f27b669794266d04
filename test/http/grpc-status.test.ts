// How a message travels in `grpc-message`.
import { Code, ConnectError } from '@connectrpc/connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { setGrpcStatus } from '../../src/http/grpc-status.ts';

const spell = (message: string) =>
  setGrpcStatus(new Headers(), new ConnectError(message, Code.NotFound)).get('grpc-message');

test.each([
  ['email_domains[1]: "a", b', 'email_domains[1]: "a", b'],
  ['100 %', '100 %25'],
  ['a\r\nb\tc\u0000\u007f', 'a%0D%0Ab%09c%00%7F'],
  ['für 日本 🙂', 'f%C3%BCr %E6%97%A5%E6%9C%AC %F0%9F%99%82'],
  ['  inside  is kept ', '%20%20inside  is kept%20'],
  ['', ''],
])('%j is spelled %j', (message, spelled) => {
  expect(spell(message)).toBe(spelled);
});

test('every message is in printable ASCII, and comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => {
      const trailer = setGrpcStatus(new Headers(), new ConnectError(message, Code.NotFound));
      expect(trailer.get('grpc-message')).toMatch(/^[\x20-\x7e]*$/);
      expect(findTrailerError(trailer)?.rawMessage).toBe(message);
    }),
  );
});
