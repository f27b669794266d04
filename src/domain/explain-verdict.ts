/**
 * Owns why a rule gave what it gave: the smallest parts that kept it from being true, what they saw, and which claims
 * they missed. It refuses to own the verdict (`claims-policy.ts`) and how parts and values are written
 * (`cel-format.ts`).
 *
 * Each part is evaluated once more by itself, from the top down, and only where it matters:
 *
 *     a && b   the sides that are not true: each is needed
 *     a || b   both sides: either would be enough
 *     !a       why a is true
 *     c ? a : b   the branch that was taken
 *     l.all(x, c)   c, for the elements that failed it
 *     everything else is a cause
 *
 * All parts together run under one budget of one evaluation, so that an explanation costs at most what a verdict may.
 */
import { createBudget } from './cel-budget.ts';
import type { CelBudget } from './cel-budget.ts';
import { findNode, listChildrenInScope } from './cel-ast.ts';
import type { CelCall, CelMacro, CelNode } from './cel-ast.ts';
import type { CelBindings, CelOutcome } from './cel-evaluator.ts';
import { findStart, formatNode } from './cel-format.ts';
import { celType, isCelList, isCelMap } from './cel-library.ts';
import type { CelValue } from './cel-library.ts';
import { describeType } from './cel-types.ts';
import type { MissingClaim } from './claim-hints.ts';
import { evaluateClaims } from './claims-policy.ts';
import type { ClaimsVerdict, CompiledClaimsExpression } from './claims-policy.ts';
import { convertClaims } from './claims-policy-claims.ts';
import { translateMessage } from './claims-policy-detail.ts';
import { locateOffset } from './claims-policy-error.ts';
import { describeLeaf } from './explain-leaf.ts';
import { listMissingClaims, listSeenParts } from './seen-values.ts';
import type { SeenValue } from './seen-values.ts';

/** A part that has no smaller part to blame. */
export interface VerdictCause {
  /** The part as CEL. */
  readonly expression: string;
  /** Where it begins; 1-based, the column in UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  /** What it did, such as `does not end with "@example.com"`. Quotes no claim's value. */
  readonly message: string;
  /** What it looked at. Holds claims' values. */
  readonly seen: readonly SeenValue[];
  /** The part as CEL of which this is one side, either of which would have been enough; empty when this is needed. */
  readonly alternativeOf: string;
}

export interface VerdictExplanation {
  /** One sentence. Quotes no claim's value. */
  readonly summary: string;
  /** In the order of the source, at most 20. Empty when the rule lets in, or was not asked. */
  readonly causes: readonly VerdictCause[];
  /** What the causes looked for and did not find. */
  readonly missingClaims: readonly MissingClaim[];
}

export interface ExplainedVerdict {
  readonly verdict: ClaimsVerdict;
  readonly explanation: VerdictExplanation;
}

type Claims = Readonly<Record<string, unknown>>;

const MAX_CAUSES = 20;
/** Elements of one list whose failing is shown. */
const MAX_ELEMENTS = 3;
/** Parts that are evaluated; making each ready costs some ten microseconds beside the budget. */
const MAX_PARTS = 500;

/** The verdict, with its explanation. Never throws. */
export function explainVerdict(
  compiled: CompiledClaimsExpression,
  claims: Claims,
): ExplainedVerdict {
  const verdict = evaluateClaims(compiled, claims);
  if (verdict.allowed) {
    return {
      verdict,
      explanation: { summary: 'The rule lets these claims in.', causes: [], missingClaims: [] },
    };
  }
  const found = findCauses(compiled, claims);
  return {
    verdict,
    explanation: {
      summary: summarize(verdict.detail, found.causes),
      causes: found.causes,
      missingClaims: found.missingClaims,
    },
  };
}

/** Without the claims' values, for those who may know why but not what. */
export function withoutValues(explanation: VerdictExplanation): VerdictExplanation {
  return { ...explanation, causes: explanation.causes.map((cause) => ({ ...cause, seen: [] })) };
}

function summarize(detail: string, causes: readonly VerdictCause[]): string {
  const [first, ...more] = causes;
  if (first === undefined) return `The rule refuses: ${detail}.`;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return `The rule refuses: ${first.expression} ${first.message}${others}.`;
}

function findCauses(
  compiled: CompiledClaimsExpression,
  claims: Claims,
): Pick<VerdictExplanation, 'causes' | 'missingClaims'> {
  try {
    const converted = convertClaims(claims);
    if (!converted.ok) return { causes: [], missingClaims: [] };
    const search = createSearch(compiled, claims);
    search.explain(compiled.ast, true, {
      bindings: { claims: converted.value },
      alternativeOf: '',
    });
    return search.result();
  } catch {
    // The verdict stands without its explanation.
    return { causes: [], missingClaims: [] };
  }
}

/** Where in the rule the search stands. */
interface Place {
  readonly bindings: CelBindings;
  readonly alternativeOf: string;
}

function createSearch({ source, ast, program }: CompiledClaimsExpression, claims: Claims) {
  const budget: CelBudget = createBudget();
  const causes: VerdictCause[] = [];
  const missing = new Map<string, MissingClaim>();
  let parts = 0;

  function evaluate(node: CelNode, { bindings }: Place): CelOutcome {
    parts += 1;
    if (parts > MAX_PARTS) return { kind: 'over_budget', reason: 'the rule has too many parts' };
    return (
      program.evaluatePart(node.id, bindings, budget) ?? {
        kind: 'error',
        message: '',
        nodeId: undefined,
      }
    );
  }

  function addCause(node: CelNode, message: string, place: Place): void {
    if (causes.length >= MAX_CAUSES) return;
    const cause: VerdictCause = {
      expression: formatNode(node),
      ...locateOffset(source, findStart(node)),
      message,
      seen: listSeenParts(node, place.bindings, (part) => evaluate(part, place)),
      alternativeOf: place.alternativeOf,
    };
    for (const claim of listMissingClaims(node, claims)) missing.set(claim.claim, claim);
    // Several elements of a list can fail alike.
    const text = JSON.stringify(cause);
    if (!causes.some((other) => JSON.stringify(other) === text)) causes.push(cause);
  }

  /** Adds the causes of the node's not being what was wanted. */
  function explain(node: CelNode, wanted: boolean, place: Place): void {
    if (causes.length >= MAX_CAUSES) return;
    const outcome = evaluate(node, place);
    switch (outcome.kind) {
      case 'over_budget':
        return addCause(node, `costs too much: ${outcome.reason}`, place);
      case 'error':
        return explainError(node, outcome, wanted, place);
      case 'value':
        if (outcome.value === wanted) return;
        if (typeof outcome.value !== 'boolean') {
          const type = describeType(celType(outcome.value));
          return addCause(node, `gives ${type} and neither true nor false`, place);
        }
        return explainWrong(node, wanted, place);
    }
  }

  /** The node is false where true was wanted, or the other way round. */
  function explainWrong(node: CelNode, wanted: boolean, place: Place): void {
    if (node.kind === 'macro') return explainMacro(node, wanted, place);
    if (node.kind !== 'call') return addCause(node, describeLeaf(node, wanted), place);
    switch (node.name) {
      case '_&&_':
      case '_||_':
        return explainLogic(node, wanted, place);
      case '!_':
        return node.args.forEach((arg) => explain(arg, !wanted, place));
      case '_?_:_':
        return explainChoice(node, wanted, place);
      default:
        return addCause(node, describeLeaf(node, wanted), place);
    }
  }

  function explainLogic(node: CelCall, wanted: boolean, place: Place): void {
    // `&&` needs each side to be true, and one false side is enough for false; `||` the other way round.
    const isEachNeeded = (node.name === '_&&_') === wanted;
    if (!isEachNeeded) {
      const sides = { ...place, alternativeOf: place.alternativeOf || formatNode(node) };
      return node.args.forEach((arg) => explain(arg, wanted, sides));
    }
    const outcomes = node.args.map((arg) => ({ arg, outcome: evaluate(arg, place) }));
    const wrong = outcomes.filter(({ outcome }) => isValue(outcome, !wanted));
    // One wrong side settles it, and what failed on the other side did not matter.
    const blamed = wrong.length > 0 ? wrong : outcomes;
    blamed.forEach(({ arg }) => explain(arg, wanted, place));
  }

  function explainChoice(node: CelCall, wanted: boolean, place: Place): void {
    const [condition, then, otherwise] = node.args;
    if (condition === undefined || then === undefined || otherwise === undefined) return;
    const outcome = evaluate(condition, place);
    if (!isValue(outcome, true) && !isValue(outcome, false)) return explain(condition, true, place);
    const taken = isValue(outcome, true) ? then : otherwise;
    // `c ? true : false` says nothing by itself; c does.
    if (taken.kind === 'literal') return explain(condition, taken === otherwise, place);
    return explain(taken, wanted, place);
  }

  function explainMacro(node: CelMacro, wanted: boolean, place: Place): void {
    // Only these two say of single elements what is wrong with them.
    const isAboutElements = (node.macro === 'all') === wanted;
    if ((node.macro !== 'all' && node.macro !== 'exists') || !isAboutElements) {
      return addCause(node, describeLeaf(node, wanted), place);
    }
    explainElements(node, place, (outcome) => isValue(outcome, !wanted), wanted);
  }

  function explainElements(
    node: CelMacro,
    place: Place,
    isToBlame: (outcome: CelOutcome) => boolean,
    wanted: boolean,
  ): void {
    const { condition, variable } = node;
    const before = causes.length;
    let shown = 0;
    for (const element of condition === undefined ? [] : listElements(node, place)) {
      const within = { ...place, bindings: { ...place.bindings, [variable]: element } };
      if (condition === undefined || !isToBlame(evaluate(condition, within))) continue;
      explain(condition, wanted, within);
      shown += 1;
      if (shown === MAX_ELEMENTS) break;
    }
    if (causes.length === before) addCause(node, describeLeaf(node, wanted), place);
  }

  function listElements(node: CelMacro, place: Place): Iterable<CelValue> {
    const range = evaluate(node.range, place);
    if (range.kind !== 'value') return [];
    if (isCelList(range.value)) return range.value;
    return isCelMap(range.value) ? range.value.keys() : [];
  }

  /** The smallest part that fails. */
  function explainError(
    node: CelNode,
    outcome: Extract<CelOutcome, { kind: 'error' }>,
    wanted: boolean,
    place: Place,
  ): void {
    if (node.kind === 'call' && (node.name === '_&&_' || node.name === '_||_')) {
      return explainLogic(node, wanted, place);
    }
    const failing = listChildrenInScope(node).find(
      (child) => evaluate(child, place).kind === 'error',
    );
    if (failing !== undefined) return explain(failing, wanted, place);
    if (node.kind === 'macro') {
      return explainElements(node, place, ({ kind }) => kind === 'error', wanted);
    }
    const at = outcome.nodeId === undefined ? undefined : findNode(ast, outcome.nodeId);
    const reason = translateMessage(outcome.message, at, ast);
    addCause(node, `fails: ${reason}`, place);
  }

  return {
    explain,
    result: () => ({ causes, missingClaims: [...missing.values()] }),
  };
}

function isValue(outcome: CelOutcome, value: boolean): boolean {
  return outcome.kind === 'value' && outcome.value === value;
}
