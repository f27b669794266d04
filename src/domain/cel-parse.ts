/**
 * Owns the way from source to tree: the library parses, this file turns its tree into ours, undoes the expansion of
 * macros and applies the limits of size. What the tree means is not its business.
 */
import type { CelLiteral, CelMacroName, CelNode } from './cel-ast.ts';
import { CEL_LIMITS } from './cel-budget.ts';
import { parse } from './cel-library.ts';
import type { LibraryExpr } from './cel-library.ts';
import { describeSyntaxError } from './cel-syntax.ts';
import { ClaimsExpressionError } from './claims-policy-error.ts';

type LibraryCall = Extract<LibraryExpr['exprKind'], { case: 'callExpr' }>['value'];
type LibraryConstant = Extract<LibraryExpr['exprKind'], { case: 'constExpr' }>['value'];
type LibraryComprehension = Extract<
  LibraryExpr['exprKind'],
  { case: 'comprehensionExpr' }
>['value'];

const MACROS: ReadonlyMap<string, CelMacroName> = new Map([
  ['exists', 'exists'],
  ['exists_one', 'exists_one'],
  ['existsOne', 'exists_one'],
  ['all', 'all'],
  ['map', 'map'],
  ['filter', 'filter'],
]);

const INT_RANGE = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const UINT_MAX = 2n ** 64n - 1n;

/** Parses an expression, or throws {@link ClaimsExpressionError}. */
export function parseExpression(source: string): CelNode {
  if (source.length > CEL_LIMITS.sourceLength) {
    const message = `an expression has at most ${CEL_LIMITS.sourceLength.toLocaleString('en')} characters`;
    throw new ClaimsExpressionError(source, CEL_LIMITS.sourceLength, message);
  }
  if (source.trim() === '') {
    throw new ClaimsExpressionError(
      source,
      0,
      'expected a rule such as claims.email_verified, found nothing',
    );
  }
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(source);
  } catch (error) {
    const { offset, message } = describeSyntaxError(source, error);
    throw new ClaimsExpressionError(source, offset, message);
  }
  const { expr, sourceInfo } = parsed;
  if (expr === undefined)
    throw new ClaimsExpressionError(source, 0, 'expected a rule, found nothing');
  return convertTree(source, expr, sourceInfo);
}

function convertTree(
  source: string,
  root: LibraryExpr,
  sourceInfo: ReturnType<typeof parse>['sourceInfo'],
): CelNode {
  const locate = (id: bigint): number => sourceInfo?.positions[id.toString()] ?? 0;
  const nameMacro = (id: bigint): string | undefined =>
    readCall(sourceInfo?.macroCalls[id.toString()])?.function;
  let nodes = 0;
  let comprehensions = 0;

  function fail(offset: number, message: string): never {
    throw new ClaimsExpressionError(source, offset, message);
  }

  function convert(expr: LibraryExpr | undefined, depth: number): CelNode {
    if (expr === undefined) return fail(0, 'expected a value');
    const base = { id: Number(expr.id), offset: findToken(source, locate(expr.id)) };
    nodes += 1;
    if (nodes > CEL_LIMITS.nodes)
      fail(
        base.offset,
        `a rule has at most ${CEL_LIMITS.nodes.toLocaleString('en')} parts: make it shorter`,
      );
    if (depth > CEL_LIMITS.depth)
      fail(base.offset, `a rule is nested at most ${CEL_LIMITS.depth} deep: make it flatter`);
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return { kind: 'literal', ...base, ...convertConstant(exprKind.value, base.offset) };
      case 'identExpr':
        return { kind: 'ident', ...base, name: exprKind.value.name };
      case 'selectExpr': {
        const { operand, field, testOnly } = exprKind.value;
        return {
          kind: 'select',
          ...base,
          operand: convert(operand, depth + 1),
          field,
          test: testOnly,
        };
      }
      case 'callExpr':
        return { kind: 'call', ...base, ...convertCall(exprKind.value, depth) };
      case 'listExpr':
        return {
          kind: 'list',
          ...base,
          elements: exprKind.value.elements.map((element) => convert(element, depth + 1)),
        };
      case 'structExpr': {
        if (exprKind.value.messageName !== '')
          fail(
            base.offset,
            `${exprKind.value.messageName} cannot be made here: write a map such as {"a": 1}`,
          );
        const entries = exprKind.value.entries.map(({ keyKind, value }) => ({
          key:
            keyKind.case === 'mapKey'
              ? convert(keyKind.value, depth + 1)
              : fail(base.offset, 'expected a key'),
          value: convert(value, depth + 1),
        }));
        return { kind: 'map', ...base, entries };
      }
      case 'comprehensionExpr': {
        comprehensions += 1;
        if (comprehensions > CEL_LIMITS.comprehensions) {
          fail(
            base.offset,
            `a rule has at most ${CEL_LIMITS.comprehensions} of exists, exists_one, all, map and filter`,
          );
        }
        return {
          kind: 'macro',
          ...base,
          ...convertMacro(exprKind.value, nameMacro(expr.id), depth, base.offset),
        };
      }
      case undefined:
        return fail(base.offset, 'expected a value');
    }
  }

  function convertCall(call: LibraryCall, depth: number) {
    const target = call.target === undefined ? undefined : convert(call.target, depth + 1);
    return { name: call.function, target, args: call.args.map((arg) => convert(arg, depth + 1)) };
  }

  function convertConstant(
    { constantKind }: LibraryConstant,
    offset: number,
  ): Pick<CelLiteral, 'type' | 'value'> {
    switch (constantKind.case) {
      case 'boolValue':
        return { type: 'bool', value: constantKind.value };
      case 'int64Value':
        if (constantKind.value < INT_RANGE.min || constantKind.value > INT_RANGE.max)
          fail(offset, 'the number does not fit an int of 64 bits');
        return { type: 'int', value: constantKind.value };
      case 'uint64Value':
        if (constantKind.value > UINT_MAX)
          fail(offset, 'the number does not fit a uint of 64 bits');
        return { type: 'uint', value: constantKind.value };
      case 'doubleValue':
        return { type: 'double', value: constantKind.value };
      case 'stringValue':
        return { type: 'string', value: constantKind.value };
      case 'bytesValue':
        return { type: 'bytes', value: constantKind.value };
      case 'nullValue':
        return { type: 'null_type', value: null };
      case 'durationValue':
      case 'timestampValue':
      case undefined:
        return fail(offset, 'expected a value');
    }
  }

  /** The library has expanded the macro to a loop over an accumulator; its parts sit at fixed places in the step. */
  function convertMacro(
    loop: LibraryComprehension,
    name: string | undefined,
    depth: number,
    offset: number,
  ) {
    const macro =
      MACROS.get(name ?? '') ??
      fail(offset, 'expected one of exists, exists_one, all, map and filter');
    const step = readCall(loop.loopStep);
    const range = convert(loop.iterRange, depth + 1);
    const convertPart = (expr: LibraryExpr | undefined): CelNode => convert(expr, depth + 1);
    const parts = { macro, range, variable: loop.iterVar, condition: undefined, result: undefined };
    switch (macro) {
      case 'exists':
      case 'all':
        return { ...parts, condition: convertPart(step?.args[1]) };
      case 'exists_one':
      case 'filter':
        return { ...parts, condition: convertPart(step?.args[0]) };
      case 'map': {
        if (step?.function !== '_?_:_')
          return { ...parts, result: convertPart(readAppended(step)) };
        return {
          ...parts,
          condition: convertPart(step.args[0]),
          result: convertPart(readAppended(readCall(step.args[1]))),
        };
      }
    }
  }

  return convert(root, 1);
}

function readCall(expr: LibraryExpr | undefined): LibraryCall | undefined {
  return expr?.exprKind.case === 'callExpr' ? expr.exprKind.value : undefined;
}

/** The one element of the list in `accumulator + [element]`. */
function readAppended(step: LibraryCall | undefined): LibraryExpr | undefined {
  const list = step?.args[1]?.exprKind;
  return list?.case === 'listExpr' ? list.value.elements[0] : undefined;
}

/** The library places operators and methods at the blanks or the dot before them. */
function findToken(source: string, offset: number): number {
  const blanks = /[\s.]*/y;
  blanks.lastIndex = offset;
  return offset + (blanks.exec(source)?.[0].length ?? 0);
}
