/**
 * Owns the evaluation of one expression under the budget. What the expression may be, what it is evaluated over and
 * what its value means are decided by its callers.
 */
import { findNode, listPatterns } from './cel-ast.ts';
import type { CelNode } from './cel-ast.ts';
import { createBudget } from './cel-budget.ts';
import type { CelBudget } from './cel-budget.ts';
import { emitExpression } from './cel-emit.ts';
import { createMeter, createMeteredFunctions } from './cel-functions.ts';
import type { CelMeter } from './cel-functions.ts';
import { celEnv, isCelError, plan } from './cel-library.ts';
import type { CelInput, CelValue, LibraryExpr } from './cel-library.ts';
import { parseExpression } from './cel-parse.ts';
import type { CelSignature } from './cel-types.ts';

/** What an expression's variables stand for. */
export type CelBindings = Readonly<Record<string, CelInput>>;

export type CelOutcome =
  | { readonly kind: 'value'; readonly value: CelValue }
  /** `message` is the library's and may quote values; `nodeId` is where it happened, if that is known. */
  | { readonly kind: 'error'; readonly message: string; readonly nodeId: number | undefined }
  | { readonly kind: 'over_budget'; readonly reason: string };

/** An expression ready to be evaluated as often as one likes. */
export interface CelProgram {
  readonly ast: CelNode;
  evaluate(bindings: CelBindings): CelOutcome;
  /**
   * Evaluates one part alone, for explanations: under a budget of its own, or under one that several parts share. Parts
   * within a macro see its variable only if the bindings have it. Undefined for an id that is not in the tree.
   */
  evaluatePart(nodeId: number, bindings: CelBindings, budget?: CelBudget): CelOutcome | undefined;
}

// Evaluation is synchronous, so the meter of the one under way can be told to the functions without a parameter that
// the library has no place for. It is set in `runMetered` alone, and put back whatever happens.
let underway: CelMeter | undefined;

function readMeter(): CelMeter {
  if (underway === undefined)
    throw new Error('a metered function was called outside of an evaluation');
  return underway;
}

const METERED_FUNCTIONS = createMeteredFunctions(readMeter);
const ENVIRONMENT = celEnv({ funcs: METERED_FUNCTIONS.functions });

/** Every function that an expression can call. */
export const CEL_SIGNATURES: readonly CelSignature[] = METERED_FUNCTIONS.signatures;

/** Parses an expression and prepares it, or throws ClaimsExpressionError where it does not parse. Checks no types. */
export function createProgram(source: string): CelProgram {
  const ast = parseExpression(source);
  const emitted = new Map<number, LibraryExpr>();
  const patterns = new Set(listPatterns(ast).map(({ value }) => String(value)));
  const evaluateWhole = prepare(emitExpression(ast, METERED_FUNCTIONS.names, emitted), patterns);
  // Previews explain one rule a hundred times, and making a part ready costs more than evaluating it.
  const parts = new Map<number, ReturnType<typeof prepare>>();
  return {
    ast,
    evaluate: (bindings) => evaluateWhole(bindings),
    evaluatePart(nodeId, bindings, budget) {
      let evaluate = parts.get(nodeId);
      if (evaluate === undefined) {
        const part = findNode(ast, nodeId) === undefined ? undefined : emitted.get(nodeId);
        if (part === undefined) return undefined;
        evaluate = prepare(part, patterns);
        parts.set(nodeId, evaluate);
      }
      return evaluate(bindings, budget);
    },
  };
}

function prepare(
  expr: LibraryExpr,
  patterns: ReadonlySet<string>,
): (bindings: CelBindings, budget?: CelBudget) => CelOutcome {
  const evaluate = plan(ENVIRONMENT, expr);
  return (bindings, budget = createBudget()) => runMetered(evaluate, bindings, patterns, budget);
}

function runMetered(
  evaluate: ReturnType<typeof plan>,
  bindings: CelBindings,
  patterns: ReadonlySet<string>,
  budget: CelBudget,
): CelOutcome {
  const outer = underway;
  const { stackTraceLimit } = Error;
  // CEL's errors are values and may be made by the thousand; their stack traces would be the dearest part of them.
  Error.stackTraceLimit = 0;
  underway = createMeter(budget, patterns);
  try {
    // Without a prototype, so that the name `constructor` is as unknown as any other.
    const value = evaluate(Object.assign(Object.create(null), bindings));
    const reason = budget.reason();
    if (reason !== undefined) return { kind: 'over_budget', reason };
    if (!isCelError(value)) return { kind: 'value', value };
    return {
      kind: 'error',
      message: value.message,
      nodeId: value.exprId === undefined ? undefined : Number(value.exprId),
    };
  } finally {
    underway = outer;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
