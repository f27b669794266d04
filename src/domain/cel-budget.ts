/**
 * Owns what a claims expression may cost. No CEL library for JavaScript bounds it: an expression of a few hundred
 * characters can otherwise run for hours or fill the heap, and a worker thread does not contain that.
 * It refuses to own where the cost arises; `cel-emit.ts` and `cel-functions.ts` report it here.
 */

/** Every limit of claims expressions, with its unit. A change here is a change of what customers may write. */
export const CEL_LIMITS = {
  /** Length of an expression in UTF-16 code units; the contract's own limit. */
  sourceLength: 4_096,
  /** Nodes of the parsed expression, a macro counting as one. */
  nodes: 1_000,
  /** Nesting of the parsed expression. A chain of `&&` or `||` is balanced and adds little; a chain of `+` adds one each. */
  depth: 60,
  /** `exists`, `exists_one`, `all`, `map` and `filter` together, nested or not. */
  comprehensions: 8,
  /** Rounds of all comprehensions of one evaluation. */
  iterations: 40_000,
  /** Nodes evaluated in comprehensions, plus the work of functions whose cost grows with their arguments. */
  steps: 100_000,
  /** Bytes of all strings and byte strings that one evaluation builds. */
  builtBytes: 65_536,
  /** Elements of all lists and entries of all maps that one evaluation builds. */
  builtElements: 32_768,
  /** Length of a `matches` pattern in UTF-16 code units. */
  patternLength: 256,
  /** Instructions of a compiled `matches` pattern: `a{100}` is about 100 of them. */
  patternInstructions: 250,
  /** Length of the text that `matches` looks at, in UTF-16 code units. */
  patternInput: 2_048,
  /** Different Unicode classes (`\p{…}`) in the patterns of one rule; each new one costs the process 75 ms, once. */
  unicodeClasses: 4,
  /** Work of all `matches` of one evaluation, in units of about a microsecond. */
  patternWork: 40_000,
  /** Size of the claims as compact JSON in UTF-8, the backslashes of escapes not counted. */
  claimsBytes: 65_536,
  /** Nesting of the claims, the claims themselves being level 1. */
  claimsDepth: 16,
} as const;

/** What an evaluation ran out of. */
export type CelResource = 'iterations' | 'steps' | 'builtBytes' | 'builtElements' | 'patternWork';

/**
 * Ends an evaluation at once. It is thrown past the evaluator rather than returned, because CEL's `||` and `exists`
 * forgive errors, and a spent budget must not be forgiven.
 */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError';
}

/** The account of one evaluation. Charging more than is left throws {@link BudgetExceededError}, now and ever after. */
export interface CelBudget {
  charge(resource: CelResource, amount: number): void;
  /** Gives back what a charge made in advance turned out not to need. */
  refund(resource: CelResource, amount: number): void;
  /** Refuses for a reason that has no counter, such as a text too long for a pattern. */
  refuse(reason: string): never;
  /** Why the evaluation was stopped, or undefined. Look here before looking at the evaluation's value. */
  reason(): string | undefined;
}

const REASONS: Readonly<Record<CelResource, string>> = {
  iterations: `the rule went through more than ${CEL_LIMITS.iterations.toLocaleString('en')} elements`,
  steps: 'the rule took too many steps',
  builtBytes: 'the rule built more than 64 KiB of text',
  builtElements: `the rule built lists or maps of more than ${CEL_LIMITS.builtElements.toLocaleString('en')} elements`,
  patternWork: 'the patterns of matches() took too long',
};

export function createBudget(): CelBudget {
  const left: Record<CelResource, number> = {
    iterations: CEL_LIMITS.iterations,
    steps: CEL_LIMITS.steps,
    builtBytes: CEL_LIMITS.builtBytes,
    builtElements: CEL_LIMITS.builtElements,
    patternWork: CEL_LIMITS.patternWork,
  };
  let stopped: string | undefined;
  function refuse(reason: string): never {
    stopped ??= reason;
    throw new BudgetExceededError(stopped);
  }
  return {
    charge(resource, amount) {
      if (stopped !== undefined) refuse(stopped);
      left[resource] -= amount;
      // Written so that NaN refuses too.
      if (!(left[resource] >= 0)) refuse(REASONS[resource]);
    },
    refund(resource, amount) {
      left[resource] += amount;
    },
    refuse,
    reason: () => stopped,
  };
}
