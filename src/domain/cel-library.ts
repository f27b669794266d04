/**
 * The only file of the domain that imports the CEL library and its RE2 engine: what we use of them, under our names,
 * with the few gaps of their surface bridged. What an expression may do and cost is decided by the files that import
 * this one.
 */
import { CelScalar, celFunc, celList, celMap, isCelList, isCelMap, isCelUint } from '@bufbuild/cel';
import type { CelFunc, CelList, CelMap, CelUint, CelValue, plan } from '@bufbuild/cel';
import { NullValue } from '@bufbuild/protobuf/wkt';
import { RE2JS } from '@bufbuild/re2';
import type { CompiledPattern } from './cel-regex.ts';

export {
  CelScalar,
  celEnv,
  celError,
  celFunc,
  celType,
  isCelError,
  objectType,
  parse,
  plan,
} from '@bufbuild/cel';
export type { CelError, CelFunc, CelInput, CelResult, CelValue } from '@bufbuild/cel';
export { NullValue, isCelList, isCelMap, isCelUint };

/** The library's own expression tree. */
export type LibraryExpr = Extract<Parameters<typeof plan>[1], { readonly exprKind: unknown }>;

/** A list that knows its weight: how many values deep equality may have to visit. */
export type WeighedList = CelList & { readonly weight: number };
/** A map that knows its weight. */
export type WeighedMap = CelMap & { readonly weight: number };
export type CelMapKey = bigint | boolean | string | CelUint;

/** Makes a list over `items`, which the list keeps and does not copy. The library's own iterates ten times slower. */
export function createList(items: readonly CelValue[], weight: number): WeighedList {
  return Object.assign(celList(items), {
    weight,
    [Symbol.iterator]: () => items[Symbol.iterator](),
  });
}

/**
 * Makes a map that answers every key in constant time and tells a null value from an absent key. The library's own
 * walks through all keys to look for an integer that is not there, and takes null for absent.
 */
export function createMap(entries: ReadonlyMap<CelMapKey, CelValue>, weight: number): WeighedMap {
  const index = new Map<bigint | boolean | string | undefined, CelValue>();
  for (const [key, value] of entries) {
    const normalized = normalizeKey(key);
    if (!index.has(normalized)) index.set(normalized, value);
  }
  const get = (key: CelMapKey | number): CelValue | undefined => index.get(normalizeKey(key));
  const has = (key: CelMapKey | number): boolean => index.has(normalizeKey(key));
  return Object.assign(celMap(entries), { weight, get, has });
}

/** Integers of every numeric type are one key; a fraction is none. */
export function normalizeKey(key: CelMapKey | number): bigint | boolean | string | undefined {
  if (isCelUint(key)) return key.value;
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : undefined;
  return key;
}

/** Gives a function just made another way of being called. It must return errors: what it throws ends the evaluation. */
export function replaceCall(made: CelFunc, call: CelFunc['call']): CelFunc {
  return Object.assign(made, { call });
}

/**
 * A function that gets every call of its name, whatever the arguments, and whose exceptions end the evaluation: those
 * of the library's own functions become values that `||` and `exists` forgive.
 */
export function createRawFunction(name: string, call: CelFunc['call']): CelFunc {
  return replaceCall(
    celFunc(name, [], CelScalar.DYN, () => null),
    call,
  );
}

/** Compiles an RE2 pattern (https://github.com/google/re2/wiki/Syntax). Throws where it is malformed. */
export function compilePattern(pattern: string): CompiledPattern {
  const compiled = RE2JS.compile(pattern);
  const { prog, dfa } = compiled.re2();
  return {
    instructions: prog.numInst(),
    countStates: () => dfa.stateCount,
    test: (input) => compiled.test(input),
  };
}
