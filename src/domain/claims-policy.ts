/**
 * Owns who may sign in: a configuration's claims expression, a rule in CEL
 * (https://github.com/google/cel-spec/blob/master/doc/langdef.md) over the variable `claims`, a `map(string, dyn)`.
 * It refuses to own where claims come from (`claims-mapping.ts`) and what a refusal leads to (`login.ts`).
 *
 * A rule has CEL's operators, `has`, `exists`, `exists_one`, `all`, `map`, `filter`, `size`, `in`, `contains`,
 * `startsWith`, `endsWith`, `matches` (RE2), `type`, and the conversions `int`, `uint`, `double`, `bool`, `string`,
 * `bytes`, `dyn`, `timestamp` and `duration`. Times are compared, added and subtracted, and taken apart with
 * `getFullYear`, `getMonth`, `getDate`, `getDayOfMonth`, `getDayOfWeek`, `getDayOfYear`, `getHours`, `getMinutes`,
 * `getSeconds` and `getMilliseconds`, each with a time zone if wanted; `timestamp(claims.auth_time)` reads seconds, as
 * RFC 7519 writes them. There is no `now()`: a verdict depends on the claims alone. There are no extensions of CEL, no
 * messages and no optionals. What a rule may cost is in `CEL_LIMITS`.
 */
import { listPatterns } from './cel-ast.ts';
import type { CelNode } from './cel-ast.ts';
import { CEL_SIGNATURES, createProgram } from './cel-evaluator.ts';
import type { CelOutcome, CelProgram } from './cel-evaluator.ts';
import { celType, compilePattern } from './cel-library.ts';
import { findPatternFault } from './cel-regex.ts';
import { describeType, inferType } from './cel-types.ts';
import type { CelStaticType } from './cel-types.ts';
import { convertClaims } from './claims-policy-claims.ts';
import type { JsonObject } from './claims-policy-claims.ts';
import { describeEvaluationError } from './claims-policy-detail.ts';
import { ClaimsExpressionError } from './claims-policy-error.ts';

export { ClaimsExpressionError };
export type { JsonObject };

/** A rule that has been checked. Keep it: compiling costs some hundred times what a verdict does. */
export interface CompiledClaimsExpression {
  readonly source: string;
  /** The parsed rule, every part with its place in `source`; for explanations. */
  readonly ast: CelNode;
  readonly program: CelProgram;
}

/** Why someone stays out. */
export type ClaimsRefusal =
  /** The rule gave false. */
  | 'false'
  /** The rule failed: a claim is absent, or a value is not what the rule needs. */
  | 'error'
  /** The rule gave something that is neither true nor false. */
  | 'not_bool'
  /** The rule cost more than `CEL_LIMITS` allows. */
  | 'over_budget'
  /** The claims are larger or nested deeper than `CEL_LIMITS` allows; the rule was not asked. */
  | 'claims_too_large';

/** `detail` is for the admin: it says which part of the rule failed, and quotes no claim's value. */
export type ClaimsVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: ClaimsRefusal; readonly detail: string };

const VARIABLES: ReadonlyMap<string, CelStaticType> = new Map([
  ['claims', { name: 'map', key: { name: 'string' }, element: { name: 'dyn' } }],
]);

/**
 * Parses and checks a rule.
 *
 * @throws ClaimsExpressionError with line, column and what to do: it does not parse, names what does not exist, can
 *   never be true or false, has a malformed pattern, or is larger than `CEL_LIMITS` allows
 */
export function compileClaimsExpression(source: string): CompiledClaimsExpression {
  const program = createProgram(source);
  const { ast } = program;
  const type = inferType(source, ast, VARIABLES, CEL_SIGNATURES);
  if (type.name !== 'bool' && type.name !== 'dyn') {
    throw new ClaimsExpressionError(
      source,
      ast.offset,
      `a rule must give true or false, and this gives ${describeType(type)}`,
    );
  }
  checkPatterns(source, ast);
  return { source, ast, program };
}

function checkPatterns(source: string, ast: CelNode): void {
  const literals = new Map(listPatterns(ast).map((literal) => [String(literal.value), literal]));
  const fault = findPatternFault(literals.keys(), compilePattern);
  if (fault === undefined) return;
  throw new ClaimsExpressionError(source, literals.get(fault.pattern)?.offset ?? 0, fault.message);
}

/**
 * Asks the rule about someone's claims. Only exactly `true` lets in; everything else refuses, an error and an absent
 * claim included. It never throws.
 */
export function evaluateClaims(
  compiled: CompiledClaimsExpression,
  claims: Readonly<Record<string, unknown>>,
): ClaimsVerdict {
  const outcome = evaluateWith(claims, (bindings) => compiled.program.evaluate(bindings));
  switch (outcome.kind) {
    case 'refused':
      return refuse(outcome.reason, outcome.detail);
    case 'over_budget':
      return refuse('over_budget', outcome.reason);
    case 'error':
      return refuse(
        'error',
        describeEvaluationError(compiled.source, compiled.ast, outcome.message, outcome.nodeId),
      );
    case 'value':
      if (outcome.value === true) return { allowed: true };
      if (outcome.value === false) return refuse('false', 'the rule gave false');
      return refuse(
        'not_bool',
        `the rule gave ${describeType(celType(outcome.value))}, and only true lets in`,
      );
  }
}

type RefusedOutcome = {
  readonly kind: 'refused';
  readonly reason: ClaimsRefusal;
  readonly detail: string;
};

function evaluateWith(
  claims: Readonly<Record<string, unknown>>,
  evaluate: (bindings: Parameters<CelProgram['evaluate']>[0]) => CelOutcome,
): CelOutcome | RefusedOutcome {
  try {
    const converted = convertClaims(claims);
    if (!converted.ok)
      return { kind: 'refused', reason: converted.reason, detail: converted.detail };
    return evaluate({ claims: converted.value });
  } catch {
    // Nothing is known that leads here. If something does, it must not let anyone in.
    return {
      kind: 'refused',
      reason: 'error',
      detail: 'the rule could not be evaluated on these claims',
    };
  }
}

function refuse(reason: ClaimsRefusal, detail: string): ClaimsVerdict {
  return { allowed: false, reason, detail };
}
