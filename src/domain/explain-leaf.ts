/** Owns what a part of a rule that is no further taken apart did, in words. It quotes the rule, and no claim's value. */
import type { CelCall, CelNode } from './cel-ast.ts';
import { formatNode } from './cel-format.ts';

/** What comparisons say, in both directions: where true was wanted and false came, and the other way round. */
const COMPARISONS: Readonly<Record<string, readonly [whenFalse: string, whenTrue: string]>> = {
  '_==_': ['is not', 'is'],
  '_!=_': ['is', 'is not'],
  '_<_': ['is not less than', 'is less than'],
  '_<=_': ['is greater than', 'is at most'],
  '_>_': ['is not greater than', 'is greater than'],
  '_>=_': ['is less than', 'is at least'],
  '@in': ['is not in', 'is in'],
};

const METHODS: Readonly<Record<string, readonly [whenFalse: string, whenTrue: string]>> = {
  startsWith: ['does not begin with', 'begins with'],
  endsWith: ['does not end with', 'ends with'],
  contains: ['does not contain', 'contains'],
  matches: ['does not match', 'matches'],
};

/**
 * What the part did, to stand behind it: `claims.level >= 3` – `is false: claims.level is less than 3`.
 *
 * @param wanted what it should have been; it was the opposite
 */
export function describeLeaf(node: CelNode, wanted: boolean): string {
  const given = `is ${!wanted}`;
  const why = describeWhy(node, wanted);
  return why === undefined ? given : `${given}: ${why}`;
}

function describeWhy(node: CelNode, wanted: boolean): string | undefined {
  if (node.kind === 'select' && node.test) {
    const path = formatNode({ ...node, test: false });
    return wanted ? `${path} is absent` : `${path} is present`;
  }
  if (node.kind === 'macro' && node.macro === 'exists' && wanted) {
    return `no element of ${formatNode(node.range)} fits`;
  }
  if (node.kind === 'macro' && node.macro === 'exists_one') {
    return wanted ? `not exactly one element of ${formatNode(node.range)} fits` : undefined;
  }
  return node.kind === 'call' ? describeCall(node, wanted) : undefined;
}

function describeCall({ name, target, args }: CelCall, wanted: boolean): string | undefined {
  const [whenFalse, whenTrue] =
    (target === undefined ? COMPARISONS : METHODS)[name] ?? ([undefined, undefined] as const);
  const verb = wanted ? whenFalse : whenTrue;
  const [left, right] = target === undefined ? args : [target, ...args];
  if (verb === undefined || left === undefined || right === undefined) return undefined;
  return `${formatNode(left)} ${verb} ${formatNode(right)}`;
}
