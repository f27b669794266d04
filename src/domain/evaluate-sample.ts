/** Owns asking an expression and a mapping about claims that the asker brought along. Nothing is stored or requested. */
import { assertAdmin } from './access.ts';
import type { Principal } from './access.ts';
import { mapClaims } from './claims-mapping.ts';
import type { MappedAttributes } from './claims-mapping.ts';
import { ClaimsExpressionError, compileClaimsExpression } from './claims-policy.ts';
import { createViolationError } from './errors.ts';
import { explainVerdict } from './explain-verdict.ts';
import type { ExplainedVerdict } from './explain-verdict.ts';
import type { Environment } from './ports.ts';
import { limitTrial } from './trial-limits.ts';

export interface Sample {
  /** Empty lets everyone in. */
  readonly expression: string;
  /** Our attribute name → the identity provider's claim name. */
  readonly mapping: Readonly<Record<string, string>>;
  /** A JSON object. */
  readonly claimsJson: string;
}

export interface SampleEvaluation {
  readonly attributes: MappedAttributes;
  /** Or why the expression cannot be used. */
  readonly judged: ExplainedVerdict | ClaimsExpressionError;
}

/** For admins, of whatever organization. Fails with `invalid_argument` and `resource_exhausted`. */
export async function evaluateSampleFor(
  env: Environment,
  caller: Principal,
  sample: Sample,
): Promise<SampleEvaluation> {
  assertAdmin(caller);
  await limitTrial(env, 'evaluate', caller.organizationId);
  return evaluateSample(sample);
}

/** Fails with `invalid_argument` for claims that are no JSON object. */
export function evaluateSample({ expression, mapping, claimsJson }: Sample): SampleEvaluation {
  const claims = parseClaims(claimsJson);
  const used = Object.fromEntries(Object.entries(mapping).filter(([, claim]) => claim !== ''));
  return { attributes: mapClaims(used, claims), judged: judge(expression, claims) };
}

function judge(
  expression: string,
  claims: Readonly<Record<string, unknown>>,
): SampleEvaluation['judged'] {
  if (expression === '') {
    const summary = 'There is no expression: everyone is let in.';
    return { verdict: { allowed: true }, explanation: { summary, causes: [], missingClaims: [] } };
  }
  try {
    return explainVerdict(compileClaimsExpression(expression), claims);
  } catch (error) {
    if (error instanceof ClaimsExpressionError) return error;
    throw error;
  }
}

function parseClaims(json: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(json);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      return { ...claims };
    }
  } catch {
    // The parser's message quotes the claims.
  }
  throw createViolationError([
    {
      field: 'claims_json',
      rule: 'claims_json.object',
      message: 'must be a JSON object such as {"email": "alice@example.com"}',
    },
  ]);
}
