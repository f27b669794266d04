/**
 * Owns the functions that expressions call: the library's own, each behind a meter that charges for its arguments
 * before it runs, and a few made stricter than the library's. It registers no extension: a function that builds
 * values without a cap would undo the budget.
 */
import { labelFunction } from './cel-ast.ts';
import { BudgetExceededError } from './cel-budget.ts';
import type { CelBudget } from './cel-budget.ts';
import { METERED } from './cel-emit.ts';
import {
  CelScalar,
  celEnv,
  celError,
  celFunc,
  celType,
  compilePattern,
  createList,
  createMap,
  createRawFunction,
  isCelError,
  isCelList,
  isCelMap,
  normalizeKey,
  objectType,
  replaceCall,
} from './cel-library.ts';
import type { CelFunc, CelResult, CelValue } from './cel-library.ts';
import { createMatcher } from './cel-regex.ts';
import { containsText } from './cel-text.ts';
import type { CelSignature } from './cel-types.ts';

/** What one evaluation is charged to, with the patterns that it has compiled. */
export interface CelMeter {
  readonly budget: CelBudget;
  readonly matches: (input: string, pattern: string) => boolean;
}

/** @param literals the patterns that the rule itself holds */
export function createMeter(budget: CelBudget, literals: ReadonlySet<string>): CelMeter {
  return { budget, matches: createMatcher(compilePattern, budget, literals) };
}

/** Steps of a timestamp method with a time zone: the formatter it makes costs 50 to 250 microseconds. */
const ZONE_STEPS = 1_000;
/** Steps of parsing or printing a timestamp or a duration. */
const TIME_STEPS = 16;
/** Steps of making an error. */
const ERROR_STEPS = 4;
/** Steps of making a list or a map, beside its elements. */
const LITERAL_STEPS = 4;
/** https://github.com/google/cel-spec/blob/master/doc/langdef.md#timestamps: the years 1 to 9999. */
const TIMESTAMP_RANGE = { min: -62_135_596_800n, max: 253_402_300_799n };

const { DOUBLE, INT, STRING } = CelScalar;
const TIMESTAMP = objectType('google.protobuf.Timestamp');

/**
 * The library's functions with what we make stricter. Its own take `int("")` for 0 and `int("0x1f")` for 31, and read
 * `timestamp(int)` as milliseconds where CEL says seconds.
 */
function listBaseFunctions(): readonly CelFunc[] {
  const { funcs } = celEnv();
  const readInteger = (text: string): bigint => {
    if (!/^[+-]?\d{1,20}$/.test(text)) throw new Error('not a whole number');
    return BigInt(text.startsWith('+') ? text.slice(1) : text);
  };
  const overrides = [
    celFunc('int', [STRING], INT, (text) => {
      const value = readInteger(text);
      if (BigInt.asIntN(64, value) !== value) throw new Error('int overflow');
      return value;
    }),
    celFunc('double', [STRING], DOUBLE, (text) => {
      if (!/^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|Infinity)$|^NaN$/.test(text))
        throw new Error('not a number');
      return Number(text);
    }),
    replaceCall(
      celFunc('timestamp', [INT], TIMESTAMP, failUnreplaced),
      (id, _target, [seconds]) => {
        if (typeof seconds !== 'bigint') return undefined;
        if (seconds < TIMESTAMP_RANGE.min || seconds > TIMESTAMP_RANGE.max)
          return celError('timestamp overflow', id);
        return funcs
          .find('timestamp')
          ?.call(id, undefined, [new Date(Number(seconds) * 1000).toISOString()]);
      },
    ),
  ];
  return [...celEnv({ funcs: overrides }).funcs];
}

function failUnreplaced(): never {
  throw new Error('a replaced function was called');
}

/**
 * Everything that an environment for metered expressions needs.
 *
 * @param current the meter of the evaluation under way
 */
export function createMeteredFunctions(current: () => CelMeter): {
  readonly functions: CelFunc[];
  readonly names: ReadonlySet<string>;
  readonly signatures: readonly CelSignature[];
} {
  const base = listBaseFunctions();
  const overloads = Map.groupBy(base, ({ name }) => name);
  const functions = [...overloads].map(([name, forms]) => meterFunction(name, forms, current));
  const signatures = base.map(({ name, target, arguments: args, result }) => ({
    name,
    target: target?.name,
    args: args.map((type) => type.name),
    result: result.name,
  }));
  return {
    functions: [...functions, ...createControls(current)],
    names: new Set(overloads.keys()),
    signatures,
  };
}

function meterFunction(name: string, forms: readonly CelFunc[], current: () => CelMeter): CelFunc {
  const findForm = createFormFinder(forms);
  return createRawFunction(METERED.prefix + name, (id, target, args) => {
    const meter = current();
    const special = callSpecial(name, id, target, args, meter);
    if (special !== undefined) return special;
    const given = target === undefined ? args : [target, ...args];
    const steps = countSteps(name, given);
    if (steps > 0) meter.budget.charge('steps', steps);
    if (name === 'string' || name === 'bytes' || name === '_+_')
      meter.budget.charge('builtBytes', countBuiltBytes(name, given));
    const result = findForm(target, args)?.call(id, target, args);
    if (result !== undefined) {
      if (!isCelError(result)) return result;
      meter.budget.charge('steps', ERROR_STEPS);
      // What a function throws has no place yet.
      return result.exprId === undefined ? celError(result.message, id) : result;
    }
    meter.budget.charge('steps', ERROR_STEPS);
    // The types are all that may be said of the values: they are claims.
    return celError(
      `cannot use ${labelFunction(name)} on ${given.map((value) => celType(value).name).join(', ')}`,
      id,
    );
  });
}

/** Finds the form for the arguments' types. The library tries all, and comparisons have seventeen. */
function createFormFinder(
  forms: readonly CelFunc[],
): (target: CelValue | undefined, args: readonly CelValue[]) => CelFunc | undefined {
  const known = new Map<string, CelFunc | undefined>();
  const fits = (value: CelValue | undefined, wanted: CelFunc['target']): boolean => {
    if (value === undefined || wanted === undefined)
      return value === undefined && wanted === undefined;
    return wanted.name === 'dyn' || wanted.name === celType(value).name;
  };
  return (target, args) => {
    let key = target === undefined ? '' : `${nameType(target)}.`;
    for (const arg of args) key += `${nameType(arg)},`;
    if (!known.has(key)) {
      const found = forms.find(
        (form) =>
          form.arguments.length === args.length &&
          fits(target, form.target) &&
          form.arguments.every((wanted, index) => fits(args[index], wanted)),
      );
      known.set(key, found);
    }
    return known.get(key);
  };
}

function nameType(value: CelValue): string {
  const type = typeof value;
  return type === 'object' ? celType(value).name : type;
}

/** What the library would do at a cost that cannot be told beforehand. */
function callSpecial(
  name: string,
  id: number,
  target: CelValue | undefined,
  args: CelValue[],
  meter: CelMeter,
): CelResult | undefined {
  const [first, second] = args;
  if (
    name === 'matches' &&
    typeof target === 'string' &&
    typeof first === 'string' &&
    args.length === 1
  ) {
    try {
      return meter.matches(target, first);
    } catch (error) {
      if (error instanceof BudgetExceededError) throw error;
      return celError('the pattern of matches is not a regular expression of RE2', id);
    }
  }
  if (
    name === 'contains' &&
    typeof target === 'string' &&
    typeof first === 'string' &&
    args.length === 1
  ) {
    meter.budget.charge('steps', (target.length + first.length) / 16);
    return containsText(target, first);
  }
  if (name === '_+_' && isCelList(first) && isCelList(second)) {
    // The library chains lists, and walking a chain of n lists costs n² steps and n frames.
    const size = first.size + second.size;
    meter.budget.charge('builtElements', size);
    meter.budget.charge('steps', size / 4);
    return createList([...first, ...second], weigh(first) + weigh(second));
  }
  return undefined;
}

/** Work beyond a call's own, in steps of about half a microsecond. */
function countSteps(name: string, given: readonly CelValue[]): number {
  const [first = null, second = null] = given;
  switch (name) {
    case '_==_':
    case '_!=_':
      return Math.min(weigh(first), weigh(second)) / 2;
    case '@in':
      return weigh(second) / 4;
    case 'size':
      return typeof first === 'string' ? first.length / 8 : 0;
    case 'type':
      return LITERAL_STEPS;
    case 'timestamp':
    case 'duration':
      return TIME_STEPS;
    case 'string':
      return typeof first === 'object' ? TIME_STEPS + measureText(first) / 64 : 0;
    default:
      if (name.startsWith('get') && given.length > 1) return ZONE_STEPS;
      return (measureText(first) + measureText(second)) / 64;
  }
}

function countBuiltBytes(name: string, given: readonly CelValue[]): number {
  const [first = null, second = null] = given;
  if (name === '_+_') return measureText(first) + measureText(second);
  // string(string) and bytes(bytes) are their argument.
  const converts = name === 'string' ? typeof first === 'object' : typeof first === 'string';
  return converts ? measureText(first) : 0;
}

/** The length of a string or of bytes; 0 for anything else. */
function measureText(value: CelValue): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

/** How many values a deep comparison may visit; long strings count for several. */
function weigh(value: CelValue): number {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? 1 + value.length / 64 : 1;
  if ('weight' in value && typeof value.weight === 'number') return value.weight;
  if (isCelList(value) || isCelMap(value)) return 1 + value.size;
  return 1 + measureText(value) / 64;
}

/** The functions that only emitted trees call. */
function createControls(current: () => CelMeter): CelFunc[] {
  const open = new WeakMap<object, { readonly items: CelValue[]; weight: number }>();
  return [
    createRawFunction(METERED.tick, (_id, _target, [condition = null, weight]) => {
      const { budget } = current();
      budget.charge('iterations', 1);
      budget.charge('steps', Number(weight));
      return condition;
    }),
    createRawFunction(METERED.range, (_id, _target, [range = null]) => {
      if (isCelList(range) || isCelMap(range)) current().budget.charge('steps', range.size / 8);
      return range;
    }),
    createRawFunction(METERED.built, (id, _target, [built = null]) => {
      if (!isCelList(built) && !isCelMap(built)) return built;
      const { budget } = current();
      budget.charge('builtElements', built.size);
      budget.charge('steps', LITERAL_STEPS + built.size);
      if (isCelList(built)) {
        const items = [...built];
        return createList(
          items,
          items.reduce<number>((sum, item) => sum + weigh(item), 1),
        );
      }
      const entries = new Map(built);
      // The library sees no conflict between 1 and 1u.
      if (new Set([...built.keys()].map(normalizeKey)).size < entries.size)
        return celError('map key conflict', id);
      return createMap(
        entries,
        [...entries].reduce((sum, [key, value]) => sum + weigh(key) + weigh(value), 1),
      );
    }),
    createRawFunction(METERED.append, (_id, _target, [list = null, element = null]) => {
      current().budget.charge('builtElements', 1);
      // A comprehension alone holds its accumulator, so it may grow in place: copying would cost n² for n elements.
      const known = typeof list === 'object' && list !== null ? open.get(list) : undefined;
      const growing = known ?? { items: [], weight: 1 };
      growing.items.push(element);
      growing.weight += weigh(element);
      if (known !== undefined) return list;
      const made = Object.defineProperty(createList(growing.items, 0), 'weight', {
        get: () => growing.weight,
      });
      open.set(made, growing);
      return made;
    }),
  ];
}
