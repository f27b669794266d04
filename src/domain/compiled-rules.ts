/**
 * Owns the memory of compiled claims expressions, so that each revision's is compiled once and not at every login. A
 * rule's meaning depends on its text alone, so the text is the key.
 */
import { compileClaimsExpression } from './claims-policy.ts';
import type { CompiledClaimsExpression } from './claims-policy.ts';

/** A compiled rule takes some 20 kB. */
const MAX_RULES = 500;

const rules = new Map<string, CompiledClaimsExpression>();

/** As `compileClaimsExpression`, which says how it fails. The rule that was used longest ago gives way. */
export function compileOnce(source: string): CompiledClaimsExpression {
  const rule = rules.get(source) ?? compileClaimsExpression(source);
  rules.delete(source);
  rules.set(source, rule);
  const [oldest] = rules.keys();
  if (rules.size > MAX_RULES && oldest !== undefined) rules.delete(oldest);
  return rule;
}
