/**
 * Owns the cost of `matches`. RE2 is linear in the text, but its factor is the size of the pattern, and this engine
 * pays ten microseconds and a kilobyte or more for every new state that a pattern and a text drive it into.
 */
import { CEL_LIMITS } from './cel-budget.ts';
import type { CelBudget } from './cel-budget.ts';

export interface CompiledPattern {
  /** The size of the compiled program. */
  readonly instructions: number;
  /** How many states the engine has built so far, in all tests. */
  countStates(): number;
  /** Whether any part of the input matches. */
  test(input: string): boolean;
}

/** Throws where the pattern is malformed. */
export type CompilePattern = (pattern: string) => CompiledPattern;

/** Patterns of one evaluation that are kept compiled; the later ones are compiled at each use. */
const KEPT_PATTERNS = 16;

/** What is wrong with the patterns that a rule holds, and with which of them, or undefined. */
export function findPatternFault(
  patterns: Iterable<string>,
  compile: CompilePattern,
): { readonly pattern: string; readonly message: string } | undefined {
  const classes = new Set<string>();
  let work = 0;
  for (const pattern of patterns) {
    for (const [name] of pattern.matchAll(UNICODE_CLASS)) classes.add(name.toLowerCase());
    work += estimateCompileWork(pattern);
    const message =
      describeCost(pattern) ?? describeTotal(classes.size, work) ?? describeFault(pattern, compile);
    if (message !== undefined) return { pattern, message };
  }
  return undefined;
}

/** Of one pattern, before it is compiled. */
function describeCost(pattern: string): string | undefined {
  if (pattern.length > CEL_LIMITS.patternLength) {
    return `a pattern has at most ${CEL_LIMITS.patternLength} characters`;
  }
  if (estimateCompileWork(pattern) <= CEL_LIMITS.patternWork / 2) return undefined;
  return 'the pattern has ranges too wide to fold their case: leave out (?i)';
}

/** Of the patterns so far. Each is compiled, so their costs add up. */
function describeTotal(classes: number, work: number): string | undefined {
  if (classes > CEL_LIMITS.unicodeClasses) {
    return `the patterns of a rule hold at most ${CEL_LIMITS.unicodeClasses} Unicode classes`;
  }
  if (work <= CEL_LIMITS.patternWork / 2) return undefined;
  return 'the patterns of the rule are too costly together: use fewer, or leave out (?i) where ranges are wide';
}

function describeFault(pattern: string, compile: CompilePattern): string | undefined {
  try {
    if (compile(pattern).instructions <= CEL_LIMITS.patternInstructions) return undefined;
    return 'the pattern is too large: lower its repetition counts';
  } catch {
    return 'the pattern is not a regular expression of RE2 (no look-around, no back references)';
  }
}

/** `\pL`, `\P{Greek}` */
const UNICODE_CLASS = /\\p(?:\{[^}]*\}|.)/giu;
/** A group that sets flags, the one for case among them. Names of groups match too, which costs them nothing much. */
const FOLDS_CASE = /\(\?[^):]*i/;
/** The ends of a range in a class, where the upper one is a character beyond ASCII or written as an escape. */
const WIDE_RANGE = /(.)-(\\[xo0-7]|[^\0-\x7f])/gsu;
/** The last character that has another case. */
const MAX_FOLD = 0x1e943;

/**
 * The work of compiling, in units of about a microsecond. To fold the case of a range, the engine visits each of its
 * characters: `(?i)[B-𞤀]` takes 19 milliseconds alone, and up to three times that beside others.
 */
function estimateCompileWork(pattern: string): number {
  const plain = 20 + 2 * pattern.length + 40 * [...pattern.matchAll(UNICODE_CLASS)].length;
  if (!FOLDS_CASE.test(pattern)) return plain;
  let folded = 0;
  for (const [, low = '', high = ''] of pattern.matchAll(WIDE_RANGE)) {
    const end = high.startsWith('\\')
      ? MAX_FOLD
      : Math.min(high.codePointAt(0) ?? MAX_FOLD, MAX_FOLD);
    folded += Math.max(0, end - (low.codePointAt(0) ?? 0));
  }
  return plain + folded * 0.5;
}

/**
 * `matches` for one evaluation. Compiled patterns live no longer than that, so that the states that one person's
 * claims force do not pile up.
 *
 * @param literals the patterns that the rule itself holds, which {@link findPatternFault} has accepted
 */
export function createMatcher(
  compile: CompilePattern,
  budget: CelBudget,
  literals: ReadonlySet<string>,
): (input: string, pattern: string) => boolean {
  const kept = new Map<string, CompiledPattern>();

  function prepare(pattern: string): CompiledPattern {
    const known = kept.get(pattern);
    if (known !== undefined) return known;
    if (pattern.length > CEL_LIMITS.patternLength) {
      budget.refuse(`matches() takes patterns of at most ${CEL_LIMITS.patternLength} characters`);
    }
    if (!literals.has(pattern) && pattern.search(UNICODE_CLASS) >= 0) {
      // Each class is computed at its first use in the process, and there are some two hundred.
      budget.refuse('a pattern of matches() that is not written in the rule holds a Unicode class');
    }
    budget.charge('patternWork', estimateCompileWork(pattern));
    const compiled = compile(pattern);
    if (compiled.instructions > CEL_LIMITS.patternInstructions) {
      budget.refuse('a pattern of matches() is too large: its repetition counts must be lower');
    }
    if (kept.size < KEPT_PATTERNS) kept.set(pattern, compiled);
    return compiled;
  }

  return (input, pattern) => {
    const compiled = prepare(pattern);
    if (input.length > CEL_LIMITS.patternInput) {
      budget.refuse(
        `matches() looks at texts of at most ${CEL_LIMITS.patternInput.toLocaleString('en')} characters`,
      );
    }
    // Measured: a new state costs about a microsecond per ten instructions, and four more; a known state that holds
    // `^`, `$` or `\b` about a fortieth of a microsecond per instruction. At worst each character makes a new state:
    // charge for that, then give back what did not happen.
    const perState = (compiled.instructions + 40) / 10;
    const worst = input.length * perState;
    budget.charge('patternWork', worst);
    const before = compiled.countStates();
    const matched = compiled.test(input);
    const states = compiled.countStates() - before;
    const actual = 1 + states * perState + (input.length * (compiled.instructions + 4)) / 40;
    if (states >= 0 && actual < worst) budget.refund('patternWork', worst - actual);
    return matched;
  };
}
