/**
 * Runs every hostile case in a process of its own, which the test gives little memory, and prints a line of JSON as
 * each ends. It judges nothing.
 */
import {
  ClaimsExpressionError,
  compileClaimsExpression,
  evaluateClaims,
} from '../../src/domain/claims-policy.ts';
import type { JsonObject } from '../../src/domain/claims-policy.ts';
import { HOSTILE_CASES } from './claims-policy-hostile-cases.ts';

for (const { name, expression, claims } of HOSTILE_CASES) {
  process.stdout.write(`${JSON.stringify({ name, outcome: judge(expression, claims()) })}\n`);
}

function judge(expression: string, claims: JsonObject): string {
  try {
    const verdict = evaluateClaims(compileClaimsExpression(expression), claims);
    return verdict.allowed ? 'allowed' : verdict.reason;
  } catch (error) {
    if (error instanceof ClaimsExpressionError) return 'does not compile';
    return `threw ${String(error)}`;
  }
}
