/**
 * Owns how parts of an expression and the values they gave look to people: as CEL would write them, in one line and
 * no longer than fits a table. It evaluates nothing.
 */
import { labelFunction, listChildren } from './cel-ast.ts';
import type { CelCall, CelLiteral, CelMacro, CelNode } from './cel-ast.ts';
import { celType, isCelList, isCelMap, isCelUint } from './cel-library.ts';
import type { CelValue } from './cel-library.ts';

/** Of one text that is shown, in UTF-16 code units. */
const SHOWN_LENGTH = 200;

/** How tightly an operator binds; a part that binds less tightly than its place needs parentheses. */
const BINDING: ReadonlyMap<string, number> = new Map([
  ['_?_:_', 1],
  ['_||_', 2],
  ['_&&_', 3],
  ...['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '@in'].map((name) => [name, 4] as const),
  ['_+_', 5],
  ['_-_', 5],
  ['_*_', 6],
  ['_/_', 6],
  ['_%_', 6],
  ['!_', 7],
  ['-_', 7],
]);
const TIGHTEST = 8;

/** The part as CEL. Blanks, comments and needless parentheses of the author's are gone. */
export function formatNode(node: CelNode): string {
  return clip(writeNode(node));
}

/** Where the part begins in the source: operators themselves stand behind their first operand. */
export function findStart(node: CelNode): number {
  return listChildren(node).reduce(
    (start, child) => Math.min(start, findStart(child)),
    node.offset,
  );
}

/** A value as CEL would write it. */
export function formatValue(value: CelValue): string {
  return clip(writeValue(value, SHOWN_LENGTH));
}

function clip(text: string): string {
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH).toWellFormed()}…`;
}

function writeNode(node: CelNode): string {
  switch (node.kind) {
    case 'literal':
      return writeLiteral(node);
    case 'ident':
      return node.name;
    case 'select': {
      const path = `${writeOperand(node.operand, TIGHTEST)}.${node.field}`;
      return node.test ? `has(${path})` : path;
    }
    case 'call':
      return writeCall(node);
    case 'list':
      return `[${node.elements.map(writeNode).join(', ')}]`;
    case 'map': {
      const entries = node.entries.map(
        ({ key, value }) => `${writeNode(key)}: ${writeNode(value)}`,
      );
      return `{${entries.join(', ')}}`;
    }
    case 'macro':
      return writeMacro(node);
  }
}

function writeOperand(node: CelNode, needed: number): string {
  const binding = node.kind === 'call' ? (BINDING.get(node.name) ?? TIGHTEST) : TIGHTEST;
  return binding < needed ? `(${writeNode(node)})` : writeNode(node);
}

function writeCall({ name, target, args }: CelCall): string {
  const [first, second, third] = args;
  if (name === '_[_]' && first !== undefined && second !== undefined) {
    return `${writeOperand(first, TIGHTEST)}[${writeNode(second)}]`;
  }
  if (name === '_?_:_' && first !== undefined && second !== undefined && third !== undefined) {
    return `${writeOperand(first, 2)} ? ${writeOperand(second, 2)} : ${writeOperand(third, 1)}`;
  }
  const binding = BINDING.get(name);
  if (binding !== undefined && first !== undefined) {
    const sign = labelFunction(name);
    return second === undefined
      ? `${sign}${writeOperand(first, binding)}`
      : // Operators of the same binding group to the left.
        `${writeOperand(first, binding)} ${sign} ${writeOperand(second, name === '_&&_' || name === '_||_' ? binding : binding + 1)}`;
  }
  const list = args.map(writeNode).join(', ');
  const receiver = target === undefined ? '' : `${writeOperand(target, TIGHTEST)}.`;
  return `${receiver}${name}(${list})`;
}

function writeMacro({ macro, range, variable, condition, result }: CelMacro): string {
  const parts = [condition, result].filter((part) => part !== undefined).map(writeNode);
  return `${writeOperand(range, TIGHTEST)}.${macro}(${[variable, ...parts].join(', ')})`;
}

function writeLiteral({ type, value }: CelLiteral): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return writeBytes(value);
  if (typeof value === 'number') return writeDouble(value);
  return type === 'uint' ? `${value}u` : String(value);
}

/** @param room in code units, so that a value of 64 KiB costs no more than what is shown of it */
function writeValue(value: CelValue, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room + 1));
  if (typeof value === 'number') return writeDouble(value);
  if (value === null) return 'null';
  if (typeof value !== 'object') return String(value);
  if (isCelUint(value)) return `${value.value}u`;
  if (value instanceof Uint8Array) return writeBytes(value.subarray(0, room));
  if (isCelList(value))
    return `[${writeItems(value, room, (item, left) => writeValue(item, left))}]`;
  if (isCelMap(value)) {
    const items = writeItems(
      value.entries(),
      room,
      ([key, item], left) => `${writeValue(key, left)}: ${writeValue(item, left)}`,
    );
    return `{${items}}`;
  }
  return `a ${celType(value).name.replace('google.protobuf.', '').toLowerCase()}`;
}

function writeItems<Item>(
  items: Iterable<Item>,
  room: number,
  write: (item: Item, left: number) => string,
): string {
  let text = '';
  for (const item of items) {
    if (text.length > room) return text;
    text += `${text === '' ? '' : ', '}${write(item, room - text.length)}`;
  }
  return text;
}

function writeDouble(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1) : String(value);
}

function writeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return `b"${text.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}
