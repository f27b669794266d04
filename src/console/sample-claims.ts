/** Owns the text of the claims that a rule is tried on: an example to begin with, how it is spread, what is wrong with it. */
import type { GetLoginAttemptResponse } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { CodeProblem } from './components/code-editor-extensions.ts';

export interface Sample {
  /** JSON, or what is to become JSON. */
  readonly claims: string;
  /** The login attempt that they were taken from, by its id. */
  readonly attemptId?: string | undefined;
}

/** `undefined` where the attempt's claims are not kept. */
export function readSample({ loginAttempt, claims }: GetLoginAttemptResponse): Sample | undefined {
  if (claims === undefined || claims.json === '') return undefined;
  return { claims: spreadClaims(claims.json), attemptId: loginAttempt?.id };
}

/** As most identity providers send them. */
export function createExampleClaims(emailDomain = 'example.com'): string {
  return write({
    sub: '00u1a2b3c4',
    email: `alice@${emailDomain}`,
    email_verified: true,
    name: 'Alice Example',
    groups: ['engineering'],
  });
}

/** Over several lines, to be read. */
export function spreadClaims(json: string): string {
  return write(JSON.parse(json));
}

/** Without blanks: what is kept of an attempt is as large as a request may be. */
export function packClaims(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

function write(claims: unknown): string {
  return JSON.stringify(claims, null, 2);
}

/** What is wrong with a text that is to be claims, and where; `undefined` when nothing is. */
export function findClaimsProblem(text: string): CodeProblem | undefined {
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return undefined;
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
