/**
 * Owns the way from our tree to the one that is evaluated, and with it where costs are reported: every function goes
 * by its metered name, every comprehension counts its rounds, every list and map that is built is charged for.
 * What a charge is and what happens when it is refused is decided in `cel-functions.ts` and `cel-budget.ts`.
 */
import { listChildren } from './cel-ast.ts';
import type { CelLiteral, CelMacro, CelNode } from './cel-ast.ts';
import { NullValue } from './cel-library.ts';
import type { LibraryExpr } from './cel-library.ts';

type ExprKind = LibraryExpr['exprKind'];
type ConstantKind = Extract<ExprKind, { case: 'constExpr' }>['value']['constantKind'];

/** Names of the functions that only emitted trees can call: no expression can spell them. */
export const METERED = {
  /** The metered form of a function: `metered:endsWith`. */
  prefix: 'metered:',
  /** `tick(condition, weight)` charges one round of a comprehension and is its condition. */
  tick: 'metered tick',
  /** `range(list)` charges for what the library copies before it iterates, and is its argument. */
  range: 'metered range',
  /** `built(list or map)` charges for a literal and is its argument. */
  built: 'metered built',
  /** `append(accumulator, element)` is the accumulator with the element, in constant time. */
  append: 'metered append',
} as const;

/** The accumulator of a comprehension. No expression can spell it. */
const ACCUMULATOR = '@result';

/** Steps that a round costs beside the nodes that it evaluates. */
const ROUND_OVERHEAD = 1;

/**
 * The tree to evaluate.
 *
 * @param metered the functions that have a metered form; others are left as they are, and the evaluator refuses them
 * @param emitted gets every emitted node by the id of the node it stands for, so that one of them can be evaluated alone
 */
export function emitExpression(
  root: CelNode,
  metered: ReadonlySet<string>,
  emitted: Map<number, LibraryExpr>,
): LibraryExpr {
  function emit(node: CelNode): LibraryExpr {
    const expr = emitNode(node);
    emitted.set(node.id, expr);
    return expr;
  }

  function emitNode(node: CelNode): LibraryExpr {
    const { id } = node;
    switch (node.kind) {
      case 'literal':
        return makeLiteral(id, makeConstant(node));
      case 'ident':
        return makeIdent(id, node.name);
      case 'select':
        return makeExpr(id, {
          case: 'selectExpr',
          value: {
            $typeName: 'cel.expr.Expr.Select',
            operand: emit(node.operand),
            field: node.field,
            testOnly: node.test,
          },
        });
      case 'call':
        return makeCall(
          id,
          metered.has(node.name) ? METERED.prefix + node.name : node.name,
          node.args.map(emit),
          node.target && emit(node.target),
        );
      case 'list':
        return makeCall(id, METERED.built, [makeList(id, node.elements.map(emit))]);
      case 'map': {
        const entries = node.entries.map(({ key, value }) => ({
          $typeName: 'cel.expr.Expr.CreateStruct.Entry' as const,
          id: BigInt(id),
          keyKind: { case: 'mapKey' as const, value: emit(key) },
          value: emit(value),
          optionalEntry: false,
        }));
        const literal = makeExpr(id, {
          case: 'structExpr',
          value: { $typeName: 'cel.expr.Expr.CreateStruct', messageName: '', entries },
        });
        return makeCall(id, METERED.built, [literal]);
      }
      case 'macro':
        return emitMacro(node);
    }
  }

  /** The expansions of https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros, with every round charged. */
  function emitMacro(node: CelMacro): LibraryExpr {
    const { id } = node;
    const accumulator = (): LibraryExpr => makeIdent(id, ACCUMULATOR);
    const condition = node.condition && emit(node.condition);
    const body = node.result && emit(node.result);
    const initial = emitInitial(node);
    let again = makeBool(id, true);
    let step: LibraryExpr;
    let result = accumulator();
    switch (node.macro) {
      case 'exists':
        again = makeCall(id, '@not_strictly_false', [makeCall(id, '!_', [accumulator()])]);
        step = makeCall(id, '_||_', [accumulator(), condition ?? makeBool(id, false)]);
        break;
      case 'all':
        again = makeCall(id, '@not_strictly_false', [accumulator()]);
        step = makeCall(id, '_&&_', [accumulator(), condition ?? makeBool(id, false)]);
        break;
      case 'exists_one':
        step = makeCall(id, '_+_', [accumulator(), makeInt(id, 1)]);
        result = makeCall(id, '_==_', [accumulator(), makeInt(id, 1)]);
        break;
      case 'map':
      case 'filter':
        step = makeCall(id, METERED.append, [accumulator(), body ?? makeIdent(id, node.variable)]);
        break;
    }
    const isConditional =
      condition !== undefined && node.macro !== 'exists' && node.macro !== 'all';
    return makeExpr(id, {
      case: 'comprehensionExpr',
      value: {
        $typeName: 'cel.expr.Expr.Comprehension',
        iterVar: node.variable,
        iterVar2: '',
        iterRange: makeCall(id, METERED.range, [emit(node.range)]),
        accuVar: ACCUMULATOR,
        accuInit: initial,
        loopCondition: makeCall(id, METERED.tick, [again, makeInt(id, weighRound(node))]),
        loopStep: isConditional ? makeCall(id, '_?_:_', [condition, step, accumulator()]) : step,
        result,
      },
    });
  }

  return emit(root);
}

function emitInitial({ id, macro }: CelMacro): LibraryExpr {
  if (macro === 'exists' || macro === 'all') return makeBool(id, macro === 'all');
  return macro === 'exists_one' ? makeInt(id, 0) : makeList(id, []);
}

/**
 * What one round evaluates at most: its nodes, those that reach for a claim twice, as the absent ones make errors. The
 * rounds of comprehensions within are charged by themselves.
 */
function weighRound({ condition, result }: CelMacro): number {
  const parts = [condition, result].filter((part) => part !== undefined);
  return parts.reduce((sum, part) => sum + weighNode(part), ROUND_OVERHEAD);
}

function weighNode(node: CelNode): number {
  if (node.kind === 'macro') return ROUND_OVERHEAD + weighNode(node.range);
  const own = node.kind === 'select' || (node.kind === 'call' && node.name === '_[_]') ? 2 : 1;
  return listChildren(node).reduce((sum, child) => sum + weighNode(child), own);
}

function makeExpr(id: number, exprKind: ExprKind): LibraryExpr {
  return { $typeName: 'cel.expr.Expr', id: BigInt(id), exprKind };
}

function makeIdent(id: number, name: string): LibraryExpr {
  return makeExpr(id, { case: 'identExpr', value: { $typeName: 'cel.expr.Expr.Ident', name } });
}

function makeCall(
  id: number,
  name: string,
  args: LibraryExpr[],
  target?: LibraryExpr,
): LibraryExpr {
  return makeExpr(id, {
    case: 'callExpr',
    value: { $typeName: 'cel.expr.Expr.Call', function: name, target, args },
  });
}

function makeList(id: number, elements: LibraryExpr[]): LibraryExpr {
  return makeExpr(id, {
    case: 'listExpr',
    value: { $typeName: 'cel.expr.Expr.CreateList', elements, optionalIndices: [] },
  });
}

function makeLiteral(id: number, constantKind: ConstantKind): LibraryExpr {
  return makeExpr(id, {
    case: 'constExpr',
    value: { $typeName: 'cel.expr.Constant', constantKind },
  });
}

function makeBool(id: number, value: boolean): LibraryExpr {
  return makeLiteral(id, { case: 'boolValue', value });
}

function makeInt(id: number, value: number): LibraryExpr {
  return makeLiteral(id, { case: 'int64Value', value: BigInt(value) });
}

function makeConstant({ type, value }: CelLiteral): ConstantKind {
  if (typeof value === 'boolean') return { case: 'boolValue', value };
  if (typeof value === 'bigint')
    return type === 'uint' ? { case: 'uint64Value', value } : { case: 'int64Value', value };
  if (typeof value === 'number') return { case: 'doubleValue', value };
  if (typeof value === 'string') return { case: 'stringValue', value };
  if (value === null) return { case: 'nullValue', value: NullValue.NULL_VALUE };
  return { case: 'bytesValue', value: Uint8Array.from(value) };
}
