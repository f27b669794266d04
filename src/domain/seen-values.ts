/** Owns what a part of a rule looked at: the claims that it reaches for, with their values, and those that are absent. */
import { listChildren, listChildrenInScope } from './cel-ast.ts';
import type { CelNode } from './cel-ast.ts';
import type { CelBindings, CelOutcome } from './cel-evaluator.ts';
import { formatNode, formatValue } from './cel-format.ts';
import { hintAtClaim } from './claim-hints.ts';
import type { MissingClaim } from './claim-hints.ts';

export interface SeenValue {
  /** What was looked at, as CEL: `claims.email`, `size(claims.groups)`, or an element's name such as `g`. */
  readonly expression: string;
  /** As CEL, at most 200 characters; empty when it is absent or could not be had. */
  readonly value: string;
}

/** Of one part. */
const MAX_SEEN = 8;

/** The values that the part looked at, each once. */
export function listSeenParts(
  node: CelNode,
  bindings: CelBindings,
  evaluate: (part: CelNode) => CelOutcome,
): readonly SeenValue[] {
  const seen = new Map<string, SeenValue>();
  for (const part of [...listOperands(node), ...listPaths(node)]) {
    const expression = formatNode(part);
    // The claims as a whole are everything, and say nothing.
    if (expression === 'claims' || seen.has(expression) || seen.size >= MAX_SEEN) continue;
    if (part.kind === 'ident' && !Object.hasOwn(bindings, part.name)) continue;
    const outcome = evaluate(part);
    if (part.kind === 'select' && part.test) {
      // Evaluated by itself it says whether it is there, and what it holds did not matter.
      if (outcome.kind !== 'value' || outcome.value !== true)
        seen.set(expression, { expression: formatNode({ ...part, test: false }), value: '' });
      continue;
    }
    const value = outcome.kind === 'value' ? formatValue(outcome.value) : '';
    seen.set(expression, { expression, value });
  }
  return [...seen.values()];
}

/** The claims that the part reaches for and that are not there, each with what to do. */
export function listMissingClaims(
  node: CelNode,
  claims: Readonly<Record<string, unknown>>,
): readonly MissingClaim[] {
  return listClaimPaths(node).flatMap((path) => {
    let value: unknown = claims;
    for (const [index, name] of path.entries()) {
      if (Array.isArray(value) || typeof value !== 'object' || value === null) return [];
      if (!Object.hasOwn(value, name)) {
        return [hintAtClaim(path.slice(0, index + 1), Object.keys(value))];
      }
      value = Object.getOwnPropertyDescriptor(value, name)?.value;
    }
    return [];
  });
}

/** The names below `claims` of every claim that the rule or a part of it reaches for by name, once for each place. */
export function listClaimPaths(node: CelNode): readonly (readonly string[])[] {
  const whole = readClaimPath(node);
  if (whole !== undefined && whole.length > 0) return [whole];
  // `"email" in claims` asks for a claim as has() does.
  if (node.kind === 'call' && node.name === '@in') {
    const [name, map] = node.args;
    const above = map === undefined ? undefined : readClaimPath(map);
    // `"x" in claims.groups` looks into a list as a rule, so only the claims themselves count.
    if (above?.length === 0 && isText(name)) return [[name.value]];
  }
  return listChildren(node).flatMap(listClaimPaths);
}

/** `claims.a["b"].c` as its names; `claims` itself as none. */
function readClaimPath(node: CelNode): readonly string[] | undefined {
  if (node.kind === 'ident') return node.name === 'claims' ? [] : undefined;
  if (node.kind === 'select') {
    const above = readClaimPath(node.operand);
    return above && [...above, node.field];
  }
  if (node.kind !== 'call' || node.name !== '_[_]') return undefined;
  const [operand, index] = node.args;
  const above = operand && readClaimPath(operand);
  return above !== undefined && isText(index) ? [...above, index.value] : undefined;
}

function isText(
  node: CelNode | undefined,
): node is Extract<CelNode, { kind: 'literal' }> & { readonly value: string } {
  return node?.kind === 'literal' && typeof node.value === 'string';
}

/** What stands on both sides of an operator, or before a method, and is computed. */
function listOperands(node: CelNode): readonly CelNode[] {
  if (node.kind === 'macro') return [node.range];
  if (node.kind !== 'call') return [];
  const operands = node.target === undefined ? node.args : [node.target, ...node.args];
  return operands.filter(({ kind }) => kind === 'call' || kind === 'macro');
}

/** The longest chains of names, each of which has a value by itself. */
function listPaths(node: CelNode): readonly CelNode[] {
  if (node.kind === 'ident') return [node];
  return isChain(node) ? [node] : listChildrenInScope(node).flatMap(listPaths);
}

function isChain(node: CelNode): boolean {
  if (node.kind === 'ident') return true;
  if (node.kind === 'select') return isChain(node.operand);
  if (node.kind !== 'call' || node.name !== '_[_]') return false;
  const [operand, index] = node.args;
  return operand !== undefined && isChain(operand) && index?.kind === 'literal';
}
