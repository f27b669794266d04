/**
 * Owns the tree of a parsed CEL expression as the rest of the domain sees it: what the author wrote, macros unexpanded,
 * every node with its place in the source. It knows nothing of the library that parsed it or evaluates it.
 */

interface CelNodeBase {
  /** Unique in the tree. Errors of an evaluation name it. */
  readonly id: number;
  /** Where the node is in the source, in UTF-16 code units: an operator's own place, otherwise the node's start. */
  readonly offset: number;
}

export type CelLiteralType = 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null_type';

export interface CelLiteral extends CelNodeBase {
  readonly kind: 'literal';
  readonly type: CelLiteralType;
  readonly value: boolean | bigint | number | string | Uint8Array | null;
}

export interface CelIdent extends CelNodeBase {
  readonly kind: 'ident';
  readonly name: string;
}

/** `operand.field`, or `has(operand.field)` when `test` is set. */
export interface CelSelect extends CelNodeBase {
  readonly kind: 'select';
  readonly operand: CelNode;
  readonly field: string;
  readonly test: boolean;
}

/** A function, a method (with `target`) or an operator. Operators have CEL's internal names: `_&&_`, `_[_]`, `@in`. */
export interface CelCall extends CelNodeBase {
  readonly kind: 'call';
  readonly name: string;
  readonly target: CelNode | undefined;
  readonly args: readonly CelNode[];
}

export interface CelListLiteral extends CelNodeBase {
  readonly kind: 'list';
  readonly elements: readonly CelNode[];
}

export interface CelMapLiteral extends CelNodeBase {
  readonly kind: 'map';
  readonly entries: readonly { readonly key: CelNode; readonly value: CelNode }[];
}

export type CelMacroName = 'exists' | 'exists_one' | 'all' | 'map' | 'filter';

/** `range.macro(variable, condition)`; `map` has a `result` as well, and a condition only in its form of three arguments. */
export interface CelMacro extends CelNodeBase {
  readonly kind: 'macro';
  readonly macro: CelMacroName;
  readonly range: CelNode;
  readonly variable: string;
  readonly condition: CelNode | undefined;
  readonly result: CelNode | undefined;
}

export type CelNode =
  | CelLiteral
  | CelIdent
  | CelSelect
  | CelCall
  | CelListLiteral
  | CelMapLiteral
  | CelMacro;

/** The nodes directly below, in the order of evaluation. */
export function listChildren(node: CelNode): readonly CelNode[] {
  switch (node.kind) {
    case 'literal':
    case 'ident':
      return [];
    case 'select':
      return [node.operand];
    case 'call':
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case 'list':
      return node.elements;
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case 'macro':
      return [node.range, node.condition, node.result].filter((child) => child !== undefined);
  }
}

/** The parts below whose names mean the same as here: of a macro its range alone, since the rest has a name of its own. */
export function listChildrenInScope(node: CelNode): readonly CelNode[] {
  return node.kind === 'macro' ? [node.range] : listChildren(node);
}

/** The node with this id, or undefined. */
export function findNode(root: CelNode, id: number): CelNode | undefined {
  if (root.id === id) return root;
  for (const child of listChildren(root)) {
    const found = findNode(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `a.b.c` as the author wrote it when the node is nothing but a chain of names, otherwise undefined. */
export function nameNode(node: CelNode): string | undefined {
  if (node.kind === 'ident') return node.name;
  if (node.kind !== 'select') return undefined;
  const operand = nameNode(node.operand);
  return operand === undefined ? undefined : `${operand}.${node.field}`;
}

/** An operator as the author wrote it (`==`), or a function's name. */
export function labelFunction(name: string): string {
  if (name === '@in') return 'in';
  if (name === '_[_]') return '[ ]';
  if (name === '_?_:_') return '? :';
  return name.replaceAll(/^_(?=\W)|(?<=\W)_$/g, '');
}

/** The patterns of `matches` that are written out in the expression, in the order of the source. */
export function listPatterns(node: CelNode): readonly CelLiteral[] {
  const pattern = node.kind === 'call' && node.name === 'matches' ? node.args[0] : undefined;
  const own = pattern?.kind === 'literal' && typeof pattern.value === 'string' ? [pattern] : [];
  return [...listChildren(node).flatMap(listPatterns), ...own];
}
