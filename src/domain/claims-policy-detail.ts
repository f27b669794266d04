/**
 * Owns what an admin reads of a rule that failed on someone's claims: which part, and why, in words that quote no claim
 * value. The library's own messages quote values freely, so they are translated here and never passed on.
 */
import { findNode, labelFunction, listChildren, nameNode } from './cel-ast.ts';
import type { CelNode } from './cel-ast.ts';
import { locateOffset } from './claims-policy-error.ts';

/** Names of claims are the provider's choice: show no more than this of them. */
const SHOWN_NAME_LENGTH = 128;

export function describeEvaluationError(
  source: string,
  ast: CelNode,
  message: string,
  nodeId: number | undefined,
): string {
  const node = nodeId === undefined ? undefined : findNode(ast, nodeId);
  const text = translateMessage(message, node, ast);
  if (node === undefined) return text;
  const { line, column } = locateOffset(source, node.offset);
  return `${text} (line ${line}, column ${column})`;
}

/** What the library's message means, without the place. */
export function translateMessage(message: string, node: CelNode | undefined, ast: CelNode): string {
  const missing = /^field not found: ([^]*)$/.exec(message)?.[1];
  if (missing !== undefined) {
    // A name that the rule does not spell out is computed, and may be someone's data.
    return spellsName(ast, missing)
      ? `no such claim: ${nameClaim(missing, node)}`
      : 'no such claim';
  }
  if (message.startsWith('unresolved attribute')) return 'no such claim';
  if (/^index \S+ out of bounds/.test(message)) return 'no such element in a list or map';
  if (/^cannot use \S+ on [\w., ]*$/.test(message))
    return message.replaceAll(/google\.protobuf\.\w/g, (name) => (name.at(-1) ?? '').toLowerCase());
  if (/^type mismatch: expected bool, got [\w.]+$/.test(message)) return message;
  if (/^type mismatch: iterable vs [\w.]+$/.test(message))
    return 'expected a list or a map to go through';
  if (message.startsWith('found no matching overload for _?_:_'))
    return 'what stands before ? is not true or false';
  if (/divide by zero|modulus by zero/.test(message)) return 'division by zero';
  if (message.includes('overflow') || message.includes('out of range'))
    return 'a number or a time is out of range';
  if (message.startsWith('unsupported key type')) return 'a value cannot be used as a key';
  if (message.startsWith('map key conflict')) return 'a map has the same key twice';
  if (node?.kind === 'call') return `${labelFunction(node.name)} cannot take this value`;
  return 'the rule could not be evaluated on these claims';
}

function spellsName(node: CelNode, name: string): boolean {
  if (node.kind === 'select' && node.field === name) return true;
  if (node.kind === 'literal' && node.value === name) return true;
  return listChildren(node).some((child) => spellsName(child, name));
}

/** `address.country` where the author wrote `claims.address.country`, otherwise the name alone. */
function nameClaim(name: string, node: CelNode | undefined): string {
  const path = node === undefined ? undefined : nameNode(node);
  const whole =
    path?.startsWith('claims.') === true && path.endsWith(`.${name}`)
      ? path.slice('claims.'.length)
      : name;
  return whole.length <= SHOWN_NAME_LENGTH ? whole : `${whole.slice(0, SHOWN_NAME_LENGTH)}…`;
}
