/** Owns how claims, which are JSON, become values of CEL, and how large they may be. It reads no claim's meaning. */
import { CEL_LIMITS } from './cel-budget.ts';
import { createList, createMap } from './cel-library.ts';
import type { CelValue } from './cel-library.ts';

export type JsonValue = boolean | number | string | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Claims as a CEL map, or what is wrong with them. */
export type ConvertedClaims =
  | { readonly ok: true; readonly value: CelValue }
  | { readonly ok: false; readonly reason: 'claims_too_large' | 'error'; readonly detail: string };

/** Ends the walk over claims that cannot be taken. */
class UnfitClaimsError extends Error {
  override readonly name = 'UnfitClaimsError';
  readonly reason: 'claims_too_large' | 'error';

  constructor(reason: 'claims_too_large' | 'error', message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * JSON has one type of number where CEL has three. A number without a fraction, and small enough to be exact
 * (±2^53), becomes an int, so that `claims.level >= 3` and `claims.iat - claims.auth_time < 3600` are what they look
 * like; every other becomes a double. CEL compares them with one another, but does not calculate across them: write
 * `double(claims.ratio) * 2.0`. null stays null, and is present: `has(claims.x)` is true of it.
 */
export function convertClaims(claims: Readonly<Record<string, unknown>>): ConvertedClaims {
  let left: number = CEL_LIMITS.claimsBytes;

  function take(bytes: number): void {
    left -= bytes;
    if (left < 0)
      throw new UnfitClaimsError('claims_too_large', 'the claims are larger than 64 KiB of JSON');
  }

  function takeText(text: string): void {
    // Before counting bytes, which costs as much as there are: a text has at least one for each code unit.
    if (text.length > left) take(text.length);
    take(Buffer.byteLength(text) + 3);
  }

  function convert(
    value: unknown,
    depth: number,
  ): { readonly value: CelValue; readonly weight: number } {
    if (typeof value === 'string') {
      takeText(value);
      return { value, weight: 1 + value.length / 64 };
    }
    if (typeof value === 'number') {
      take(Number.isInteger(value) ? String(value).length + 1 : 4);
      return { value: Number.isSafeInteger(value) ? BigInt(value) : value, weight: 1 };
    }
    if (typeof value === 'boolean' || value === null) {
      take(5);
      return { value, weight: 1 };
    }
    if (typeof value !== 'object') throw new UnfitClaimsError('error', 'the claims are not JSON');
    if (depth > CEL_LIMITS.claimsDepth) {
      throw new UnfitClaimsError(
        'claims_too_large',
        `the claims are nested more than ${CEL_LIMITS.claimsDepth} deep`,
      );
    }
    take(2);
    return Array.isArray(value) ? convertList(value, depth) : convertObject(value, depth);
  }

  function convertList(
    items: readonly unknown[],
    depth: number,
  ): { readonly value: CelValue; readonly weight: number } {
    let weight = 1;
    const converted: CelValue[] = [];
    for (const item of items) {
      const { value, weight: added } = convert(item, depth + 1);
      converted.push(value);
      weight += added;
    }
    return { value: createList(converted, weight), weight };
  }

  function convertObject(
    object: object,
    depth: number,
  ): { readonly value: CelValue; readonly weight: number } {
    let weight = 1;
    const entries = new Map<string, CelValue>();
    // Own properties alone, into a Map: `constructor` and `__proto__` are names like any other.
    for (const [name, item] of Object.entries(object)) {
      if (item === undefined) continue;
      takeText(name);
      const { value, weight: added } = convert(item, depth + 1);
      entries.set(name, value);
      weight += added + 1;
    }
    return { value: createMap(entries, weight), weight };
  }

  try {
    return { ok: true, value: convert(claims, 1).value };
  } catch (error) {
    if (!(error instanceof UnfitClaimsError)) throw error;
    return { ok: false, reason: error.reason, detail: error.message };
  }
}
