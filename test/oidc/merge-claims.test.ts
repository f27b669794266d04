import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeClaims } from '../../src/oidc/merge-claims.ts';

const A = 'a@example.com';
const B = 'b@example.com';

test.for([
  {
    name: 'userinfo adds and has the last word',
    idToken: { sub: 's', name: 'old' },
    userinfo: { sub: 's', name: 'new', groups: ['g'] },
    merged: { sub: 's', name: 'new', groups: ['g'] },
  },
  {
    name: 'what the token says of itself stays',
    idToken: { sub: 's', iss: 'i', aud: 'a', nonce: 'n', acr: '1' },
    userinfo: { sub: 'x', iss: 'x', aud: 'x', nonce: 'x', acr: 'x', amr: ['x'], exp: 1 },
    merged: { sub: 's', iss: 'i', aud: 'a', nonce: 'n', acr: '1' },
  },
  {
    name: 'another email does not inherit that the first is verified',
    idToken: { email: A, email_verified: true },
    userinfo: { email: B },
    merged: { email: B },
  },
  {
    name: 'another email brings its own word',
    idToken: { email: A, email_verified: true },
    userinfo: { email: B, email_verified: false },
    merged: { email: B, email_verified: false },
  },
  {
    name: 'the same email keeps the token’s word',
    idToken: { email: A, email_verified: true },
    userinfo: { email: A },
    merged: { email: A, email_verified: true },
  },
  {
    name: 'the same email takes userinfo’s word when it has one',
    idToken: { email: A, email_verified: true },
    userinfo: { email: A, email_verified: false },
    merged: { email: A, email_verified: false },
  },
  {
    name: 'userinfo’s word alone does not vouch for the token’s email',
    idToken: { email: A, email_verified: false },
    userinfo: { email_verified: true },
    merged: { email: A, email_verified: false },
  },
  {
    name: 'a lone word stays, where nobody names an email',
    idToken: {},
    userinfo: { email_verified: true },
    merged: { email_verified: true },
  },
  {
    name: 'phone numbers go the same way',
    idToken: { phone_number: '+1', phone_number_verified: true },
    userinfo: { phone_number: '+2' },
    merged: { phone_number: '+2' },
  },
])('$name', ({ idToken, userinfo, merged }) => {
  expect(mergeClaims(idToken, userinfo)).toEqual(merged);
});

test('no claim becomes the prototype of the claims', () => {
  const hostile = JSON.parse('{"__proto__":{"admin":true},"constructor":1}');
  const merged = mergeClaims(hostile, hostile);
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  expect(Object.assign({}, merged)).not.toHaveProperty('admin');
  expect(Object.hasOwn(merged, '__proto__')).toBe(false);
});

test('whatever userinfo says, the subject stays', () => {
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (sub, userinfo) => {
      expect(mergeClaims({ sub }, { ...userinfo, sub: 'x' })['sub']).toBe(sub);
    }),
  );
});
