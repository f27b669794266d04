// How a message travels in `grpc-message`.
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { setGrpcStatus, setShortGrpcStatus } from '../../src/http/grpc-status.ts';

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

const small = { desc: StringValueSchema, value: { value: 'small' } };

const writeShort = (message: string, ...details: ConnectError['details']) => {
  const error = new ConnectError(message, Code.NotFound);
  error.details = details;
  const trailer = setShortGrpcStatus(new Headers(), error);
  return { trailer, error: findTrailerError(trailer) };
};

test('an error that fits into a trailer is written whole', () => {
  const { error } = writeShort('m'.repeat(1_600), small, small);
  expect(error?.rawMessage).toHaveLength(1_600);
  expect(error?.findDetails(StringValueSchema)).toHaveLength(2);
});

test.each([['k'], ['é'], ['🙂'], ['%']])(
  'of an error that no trailer has room for, the largest details and the end of its message (%s) are left out',
  (character) => {
    const large = { desc: StringValueSchema, value: { value: character.repeat(50_000) } };
    const { error, trailer } = writeShort(character.repeat(50_000), large, small, large);
    expect([...trailer].join('').length).toBeLessThan(8_000);
    expect(error?.code).toBe(Code.NotFound);
    expect(error?.rawMessage).toMatch(new RegExp(`^${character}{100,}…$`, 'u'));
    expect(error?.findDetails(StringValueSchema).map(({ value }) => value)).toEqual(['small']);
  },
);

test('a message of very many spaces is spelled in one go', () => {
  const message = `a${' '.repeat(1_000_000)}b`;
  expect(spell(`${message} `)).toBe(`${message}%20`);
});
