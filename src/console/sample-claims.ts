/**
 * Owns the claims that a rule is tried on: an example to begin with, and what an explanation tells of a real attempt.
 * No call returns the claims that are kept; an explanation returns those that the rule looked at.
 */
import type { LoginAttempt } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { CodeProblem } from './components/code-editor-extensions.ts';

type Claims = Record<string, unknown>;

/** As most identity providers send them. */
export function createExampleClaims(emailDomain = 'example.com'): string {
  return writeClaims({
    sub: '00u1a2b3c4',
    email: `alice@${emailDomain}`,
    email_verified: true,
    name: 'Alice Example',
    groups: ['engineering'],
  });
}

export function writeClaims(claims: Readonly<Claims>): string {
  return JSON.stringify(claims, null, 2);
}

/** Whether anything of its claims is known. */
export function tellsClaims({ explanation }: Pick<LoginAttempt, 'explanation'>): boolean {
  if (explanation === undefined) return false;
  return (
    explanation.missingClaims.length > 0 || explanation.causes.some(({ seen }) => seen.length > 0)
  );
}

/** What is known of an attempt's claims. The email is masked unless the rule looked at it. */
export function collectClaims(
  attempt: Pick<LoginAttempt, 'explanation' | 'maskedEmail'>,
): Readonly<Claims> {
  const { causes = [], missingClaims = [] } = attempt.explanation ?? {};
  const claims: Claims = {};
  if (attempt.maskedEmail !== '' && !missingClaims.some(({ claim }) => claim === 'email')) {
    claims['email'] = attempt.maskedEmail;
  }
  for (const { expression, value } of causes.flatMap(({ seen }) => seen)) {
    const path = readPath(expression);
    const known = readValue(value);
    if (path !== undefined && known !== undefined) place(claims, path, known.value);
  }
  return claims;
}

const STEP = /\.([A-Za-z_]\w*)|\["((?:[^"\\]|\\.)*)"\]/y;

/** `claims.a["b"]` as its names; nothing for whatever else a rule looks at, such as `size(claims.groups)`. */
function readPath(expression: string): readonly string[] | undefined {
  if (!expression.startsWith('claims')) return undefined;
  const path: string[] = [];
  STEP.lastIndex = 'claims'.length;
  while (STEP.lastIndex < expression.length) {
    const [, field, quoted] = STEP.exec(expression) ?? [];
    const name = field ?? (quoted === undefined ? undefined : readValue(`"${quoted}"`)?.value);
    if (typeof name !== 'string') return undefined;
    path.push(name);
  }
  return path.length === 0 ? undefined : path;
}

/** CEL writes texts, numbers, lists and maps as JSON does. What is cut off, or is of another kind, is not known. */
function readValue(value: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(value) };
  } catch {
    return undefined;
  }
}

function place(claims: Claims, path: readonly string[], value: unknown): void {
  let within = claims;
  for (const name of path.slice(0, -1)) {
    const below = Object.hasOwn(within, name) ? within[name] : undefined;
    const next = isObject(below) ? below : {};
    define(within, name, next);
    within = next;
  }
  define(within, path.at(-1) ?? '', value);
}

/** As its own, whatever it is called. */
function define(within: Claims, name: string, value: unknown): void {
  Object.defineProperty(within, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with a text that is to be claims, and where; `undefined` when nothing is. */
export function findClaimsProblem(text: string): CodeProblem | undefined {
  try {
    const claims: unknown = JSON.parse(text);
    if (isObject(claims)) return undefined;
    return { line: 1, column: 1, message: 'Claims are a JSON object: { "email": "…" }.' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...locate(text, message), message: describe(message) };
  }
}

/** Engines tell the place in different words, or not at all. */
function locate(text: string, message: string): { readonly line: number; readonly column: number } {
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  if (line !== undefined && column !== undefined)
    return { line: Number(line), column: Number(column) };
  const [, position] = /position (\d+)/.exec(message) ?? [];
  const before = text.slice(0, position === undefined ? text.length : Number(position)).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

function describe(message: string): string {
  const [what = message] = message.split(/ in JSON at | at position | \(line /);
  return `This is no JSON yet. ${what.replace(/^JSON\.parse: /, '')}.`;
}
