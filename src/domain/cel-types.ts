/**
 * Owns the types that an expression is known to have before any claims are seen. The library has no checker that
 * knows more than literals and names, so this is ours: it refuses what can never work (an unknown name or function, a
 * method that a string does not have, a rule that gives a string) and lets everything pass that depends on claims,
 * which are `dyn`. It evaluates nothing.
 */
import { labelFunction, nameNode } from './cel-ast.ts';
import type { CelCall, CelMacro, CelNode } from './cel-ast.ts';
import { ClaimsExpressionError } from './claims-policy-error.ts';
import { findNearName } from './near-name.ts';

/** One form of a function, as the evaluator has it. Types are CEL's names for them. */
export interface CelSignature {
  readonly name: string;
  /** The type of `x` in `x.f()`; undefined for functions and operators. */
  readonly target: string | undefined;
  readonly args: readonly string[];
  readonly result: string;
}

/** `element` is what a list holds, or a map's values; `key` what iterating over a map gives. */
export interface CelStaticType {
  readonly name: string;
  readonly element?: CelStaticType;
  readonly key?: CelStaticType;
}

const DYN: CelStaticType = { name: 'dyn' };
const BOOL: CelStaticType = { name: 'bool' };
const TYPE: CelStaticType = { name: 'type' };
const NUMERIC = new Set(['int', 'uint', 'double']);

/** Names that stand for types, to compare with `type(x)`. */
const TYPE_NAMES = new Set(
  'bool bytes double int list map null_type string type uint google.protobuf.Duration google.protobuf.Timestamp'.split(
    ' ',
  ),
);
const MACROS = new Set(['all', 'exists', 'existsOne', 'exists_one', 'filter', 'map']);

/**
 * The type of the whole expression.
 *
 * @param variables the names that the expression may use
 * @throws ClaimsExpressionError at the first part that can never work
 */
export function inferType(
  source: string,
  root: CelNode,
  variables: ReadonlyMap<string, CelStaticType>,
  signatures: readonly CelSignature[],
): CelStaticType {
  function fail(node: CelNode, message: string): never {
    throw new ClaimsExpressionError(source, node.offset, message);
  }

  function infer(node: CelNode, scope: ReadonlyMap<string, CelStaticType>): CelStaticType {
    switch (node.kind) {
      case 'literal':
        return { name: node.type };
      case 'ident':
        return (
          scope.get(node.name) ??
          (TYPE_NAMES.has(node.name) ? TYPE : failUnknownName(node.name, node, scope))
        );
      case 'select': {
        if (!node.test && TYPE_NAMES.has(nameNode(node) ?? '')) return TYPE;
        const operand = infer(node.operand, scope);
        if (operand.name !== 'dyn' && operand.name !== 'map') {
          fail(
            node,
            `${describeType(operand)} has no field ${node.field}: only claims and maps have fields`,
          );
        }
        return node.test ? BOOL : (operand.element ?? DYN);
      }
      case 'list':
        return {
          name: 'list',
          element: joinTypes(node.elements.map((element) => infer(element, scope))),
        };
      case 'map': {
        const key = joinTypes(node.entries.map((entry) => infer(entry.key, scope)));
        if (!['bool', 'dyn', 'int', 'string', 'uint'].includes(key.name)) {
          fail(
            node,
            `${describeType(key)} cannot be a key: write a string, an int, a uint or a bool`,
          );
        }
        return {
          name: 'map',
          key,
          element: joinTypes(node.entries.map((entry) => infer(entry.value, scope))),
        };
      }
      case 'macro':
        return inferMacro(node, scope);
      case 'call':
        return inferCall(node, scope);
    }
  }

  function failUnknownName(
    name: string,
    node: CelNode,
    scope: ReadonlyMap<string, CelStaticType>,
  ): never {
    const known = [...scope.keys()];
    const near = findNearName(name, [...known, 'true', 'false', 'null']);
    return fail(
      node,
      near === undefined
        ? `${name} is not known: expected one of ${known.join(', ')}; a claim is written claims.${name}`
        : `${name} is not known: did you mean ${near}?`,
    );
  }

  function inferMacro(node: CelMacro, scope: ReadonlyMap<string, CelStaticType>): CelStaticType {
    const range = infer(node.range, scope);
    if (!['dyn', 'list', 'map'].includes(range.name))
      fail(node, `${node.macro} needs a list or a map, and this is ${describeType(range)}`);
    const inner = new Map(scope).set(
      node.variable,
      (range.name === 'map' ? range.key : range.element) ?? DYN,
    );
    if (node.condition !== undefined)
      requireBool(node.condition, infer(node.condition, inner), `the condition of ${node.macro}`);
    if (node.macro === 'filter') return { name: 'list', element: inner.get(node.variable) ?? DYN };
    return node.result === undefined ? BOOL : { name: 'list', element: infer(node.result, inner) };
  }

  function requireBool(node: CelNode, type: CelStaticType, what: string): void {
    if (type.name === 'bool' || type.name === 'dyn') return;
    fail(
      node,
      `${what} must be true or false, and this is ${describeType(type)}: compare it with something`,
    );
  }

  function inferCall(node: CelCall, scope: ReadonlyMap<string, CelStaticType>): CelStaticType {
    if (MACROS.has(node.name) && node.target !== undefined) {
      fail(
        node,
        `${node.name} needs a name and what to do with it, such as claims.groups.${node.name}(g, g == "admins")`,
      );
    }
    if (node.name === 'has') {
      fail(
        node,
        'has() needs a claim by name, such as has(claims.email); for others write "name" in claims',
      );
    }
    // Before its arguments: those of a misspelt macro hold a name that is not known.
    if (/^\w+$/.test(node.name) && !signatures.some(({ name }) => name === node.name)) {
      failUnknownFunction(node, node.name, node.target !== undefined);
    }
    const target = node.target === undefined ? undefined : infer(node.target, scope);
    const args = node.args.map((arg) => infer(arg, scope));
    const [first = DYN, second = DYN, third = DYN] = args;
    switch (node.name) {
      case '_&&_':
      case '_||_':
        node.args.forEach((arg, index) =>
          requireBool(arg, args[index] ?? DYN, `each side of ${labelFunction(node.name)}`),
        );
        return BOOL;
      case '_?_:_':
        if (node.args[0] !== undefined) requireBool(node.args[0], first, 'what stands before ?');
        return joinTypes([second, third]);
      case '_[_]':
        return inferIndex(node, first, second);
      case '_==_':
      case '_!=_':
        if (!canEqual(first, second)) {
          fail(
            node,
            `${describeType(first)} and ${describeType(second)} are never equal: compare values of one type`,
          );
        }
        return BOOL;
      default: {
        const result = resolveCall(node, target, args);
        return result.name === 'list' && node.name === '_+_' ? joinTypes([first, second]) : result;
      }
    }
  }

  function inferIndex(node: CelCall, operand: CelStaticType, index: CelStaticType): CelStaticType {
    if (!['dyn', 'list', 'map'].includes(operand.name))
      fail(node, `[ ] needs a list or a map, and this is ${describeType(operand)}`);
    if (operand.name === 'list' && index.name !== 'dyn' && !NUMERIC.has(index.name)) {
      fail(node, `a list is counted by an int, as in [0], and this is ${describeType(index)}`);
    }
    if (
      operand.name === 'map' &&
      operand.key?.name === 'string' &&
      index.name !== 'dyn' &&
      index.name !== 'string'
    ) {
      fail(
        node,
        `expected a name in quotes, as in claims["name"], and this is ${describeType(index)}`,
      );
    }
    return operand.element ?? DYN;
  }

  function resolveCall(
    node: CelCall,
    target: CelStaticType | undefined,
    args: readonly CelStaticType[],
  ): CelStaticType {
    const label = labelFunction(node.name);
    const named = signatures.filter(({ name }) => name === node.name);
    const forms = named.filter((form) => (form.target === undefined) === (target === undefined));
    if (forms.length === 0) {
      const method = target !== undefined;
      if (named.length > 0)
        fail(
          node,
          method
            ? `expected ${label}(x), not x.${label}()`
            : `expected x.${label}(), not ${label}(x)`,
        );
      failUnknownFunction(node, label, method);
    }
    const fitting = forms.filter((form) => form.args.length === args.length);
    if (fitting.length === 0) {
      const counts = [...new Set(forms.map((form) => form.args.length))].join(' or ');
      fail(
        node,
        `${label} takes ${counts} argument${counts === '1' ? '' : 's'}, found ${args.length}`,
      );
    }
    const given = target === undefined ? args : [target, ...args];
    const matching = fitting.filter((form) => {
      const wanted = form.target === undefined ? form.args : [form.target, ...form.args];
      return wanted.every((type, index) => canBe(given[index] ?? DYN, type));
    });
    if (matching.length === 0) {
      fail(
        node,
        `${label} cannot be used on ${given.map(describeType).join(' and ')}: convert one with string(), int() or double()`,
      );
    }
    return joinTypes(matching.map(({ result }) => ({ name: result })));
  }

  function failUnknownFunction(node: CelCall, label: string, method: boolean): never {
    const names = listNames(signatures, method);
    const near = findNearName(label, names);
    const advice =
      near === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${near}?`;
    return fail(node, `${label} is not a ${method ? 'method' : 'function'} here: ${advice}`);
  }

  return infer(root, variables);
}

/** A type for people: `google.protobuf.Timestamp` is a timestamp. */
export function describeType({ name }: CelStaticType): string {
  const short = name.replace('google.protobuf.', '').replace('null_type', 'null').toLowerCase();
  return /^(?:bytes|null)$/.test(short) ? short : `${/^[aeio]/.test(short) ? 'an' : 'a'} ${short}`;
}

function listNames(signatures: readonly CelSignature[], method: boolean): readonly string[] {
  const names = signatures.filter(
    ({ name, target }) => /^\w+$/.test(name) && (target !== undefined) === method,
  );
  const extra = method ? [...MACROS].filter((name) => name !== 'existsOne') : ['has'];
  return [...new Set([...names.map(({ name }) => name), ...extra])].toSorted();
}

function canBe(type: CelStaticType, wanted: string): boolean {
  return type.name === 'dyn' || wanted === 'dyn' || type.name === wanted;
}

/** Numbers of all types compare with one another, as JSON has only one type of number. */
function canEqual(left: CelStaticType, right: CelStaticType): boolean {
  if (left.name === 'dyn' || right.name === 'dyn' || left.name === right.name) return true;
  if (left.name === 'null_type' || right.name === 'null_type') return true;
  return NUMERIC.has(left.name) && NUMERIC.has(right.name);
}

function joinTypes(types: readonly CelStaticType[]): CelStaticType {
  const [first, ...rest] = types;
  if (first === undefined || rest.some(({ name }) => name !== first.name)) return DYN;
  if (first.name !== 'list' && first.name !== 'map') return first;
  const element = joinTypes(types.map((type) => type.element ?? DYN));
  return first.name === 'list'
    ? { name: 'list', element }
    : { name: 'map', element, key: joinTypes(types.map((type) => type.key ?? DYN)) };
}
