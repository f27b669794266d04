import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EncryptionKeysError, parseEncryptionKeys } from '../../src/store/keyring.ts';
import { openSecret, SecretBoxError, sealSecret } from '../../src/store/secret-box.ts';
import type { SecretBox, SecretPlace } from '../../src/store/secret-box.ts';

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const KEYRING = parseEncryptionKeys(`first:${key(1)},second:${key(2)}`);
const PLACE: SecretPlace = ['sso-configuration', 'org', 'cfg', 'client_secret'];

describe('a sealed secret', () => {
  test('opens to what was sealed, whatever it is', () => {
    const part = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.tuple(part, part, part), (secret, place) => {
        expect(openSecret(KEYRING, place, sealSecret(KEYRING, place, secret))).toBe(secret);
      }),
    );
  });

  test('opens nowhere but in its place', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '"', ',', '\\', '.') });
    const place = fc.array(part, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(place, place, (from, to) => {
        fc.pre(JSON.stringify(from) !== JSON.stringify(to));
        const box = sealSecret(KEYRING, from as unknown as SecretPlace, 'secret');
        expect(() => openSecret(KEYRING, to as unknown as SecretPlace, box)).toThrow(
          SecretBoxError,
        );
      }),
    );
  });

  test('does not open when any character of it is another', () => {
    const { keyId, box } = sealSecret(KEYRING, PLACE, 'secret');
    for (let index = 0; index < box.length; index++) {
      for (const other of ['A', '0', '_', '.', '=', '\u00e9']) {
        if (box[index] === other) continue;
        const changed = box.slice(0, index) + other + box.slice(index + 1);
        expect(() => openSecret(KEYRING, PLACE, { keyId, box: changed })).toThrow(SecretBoxError);
      }
    }
  });

  test('does not open when any bit of its nonce, its ciphertext or its tag is another', () => {
    const { keyId, box } = sealSecret(KEYRING, PLACE, 'secret');
    const parts = box.split('.');
    for (const part of [1, 2]) {
      const bytes = Buffer.from(parts[part] ?? '', 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const tampered = parts.with(part, changed.toString('base64url')).join('.');
        expect(() => openSecret(KEYRING, PLACE, { keyId, box: tampered })).toThrow(SecretBoxError);
      }
    }
  });

  test.each<[string, (box: SecretBox) => SecretBox]>([
    ['under an unknown key', (box) => ({ ...box, keyId: 'third' })],
    ['under another key', (box) => ({ ...box, keyId: 'second' })],
    ['when it is empty', (box) => ({ ...box, box: '' })],
    ['of another version', (box) => ({ ...box, box: box.box.replace('1.', '2.') })],
    ['when it is cut', (box) => ({ ...box, box: box.box.slice(0, -4) })],
    ['when there is more', (box) => ({ ...box, box: `${box.box}.x` })],
    ['without a nonce', (box) => ({ ...box, box: box.box.replace(/\.[^.]*\./, '..') })],
    ['without its ciphertext', (box) => ({ ...box, box: box.box.replace(/[^.]*$/, '') })],
  ])('does not open %s', (_, change) => {
    const box = change(sealSecret(KEYRING, PLACE, 'secret'));
    expect(() => openSecret(KEYRING, PLACE, box)).toThrow(SecretBoxError);
  });

  test('never has the same nonce twice', () => {
    const boxes = Array.from({ length: 200 }, () => sealSecret(KEYRING, PLACE, 'secret').box);
    expect(new Set(boxes.map((box) => box.split('.')[1])).size).toBe(200);
  });

  test('is under the first key, and each of the others opens what is under it', () => {
    const box = sealSecret(KEYRING, PLACE, 'secret');
    expect(box.keyId).toBe('first');
    const rotated = parseEncryptionKeys(`third:${key(3)},first:${key(1)}`);
    expect(openSecret(rotated, PLACE, box)).toBe('secret');
    expect(sealSecret(rotated, PLACE, 'secret').keyId).toBe('third');
  });
});

describe('encryption keys', () => {
  test.each([
    [`a:${key(1)}`, ['a']],
    [` a:${key(1)} , b-2_C:${key(2)}\n`, ['a', 'b-2_C']],
    [`a:${Buffer.alloc(32, 0xff).toString('base64url')}`, ['a']],
  ])('are read from %s', (text, ids) => {
    const keyring = parseEncryptionKeys(text);
    expect(keyring.keys.map(({ id }) => id)).toEqual(ids);
    expect(keyring.primary.id).toBe(ids[0]);
    for (const id of ids) expect(keyring.find(id)?.id).toBe(id);
    expect(keyring.find('unknown')).toBeUndefined();
  });

  test.each<[string, readonly string[]]>([
    ['', ['there is no key']],
    [',', ['key 1 of 2 has no colon', 'key 2 of 2 has no colon']],
    [key(1), ['key 1 of 1 has no colon']],
    [`:${key(1)}`, ['key 1 of 1 has an id']],
    [`a b:${key(1)}`, ['key 1 of 1 has an id']],
    [`${'a'.repeat(65)}:${key(1)}`, ['key 1 of 1 has an id']],
    [`a:${key(1)},a:${key(2)}`, ['key 2 of 2 has the id of a key before it']],
    ['a:', ['key 1 of 1 has 0 bytes, not 32']],
    ['a:!!!', ['key 1 of 1 is not base64']],
    [`a:${key(1)}:`, ['key 1 of 1 is not base64']],
    [`a:${Buffer.alloc(16, 1).toString('base64')}`, ['key 1 of 1 has 16 bytes, not 32']],
    [`a:${Buffer.alloc(33, 1).toString('base64')}`, ['key 1 of 1 has 33 bytes, not 32']],
    [`a:${'0f'.repeat(32)}`, ['key 1 of 1 has 48 bytes, not 32']],
    [`nope,a:${key(1)},b:short`, ['key 1 of 3 has no colon', 'key 3 of 3 is not base64']],
  ])('refuse "%s", naming every mistake', (text, problems) => {
    const parse = (): unknown => parseEncryptionKeys(text);
    expect(parse).toThrow(EncryptionKeysError);
    expect(parse).toThrow(
      expect.objectContaining({
        problems: problems.map((problem) => expect.stringContaining(problem)),
      }),
    );
  });

  test('are in no message about them, nor shown when they are printed', async () => {
    const material = Buffer.from('canary-key-material-32-bytes-xx!').toString('base64');
    for (const text of [
      material,
      `a${material}`,
      `a:${material}x`,
      `${material}:a`,
      `a:${material},a:${material}`,
    ]) {
      expect(() => parseEncryptionKeys(text)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(material.slice(0, 12)) }),
      );
    }
    const { inspect } = await import('node:util');
    const shown = inspect(parseEncryptionKeys(`a:${material}`), { depth: 9, showHidden: true });
    expect(shown).not.toContain('canary');
    expect(shown).not.toContain(material);
  });
});
