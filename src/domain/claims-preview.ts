/**
 * Owns trying a change on people who have signed in before: whom it would shut out, and whom it would let in. It
 * replays what the store has kept of login attempts, and writes nothing.
 *
 *     kept attempts, newest first ──▶ each person's newest ──▶ decided before, and after ──▶ those who differ
 */
import type { Principal } from './access.ts';
import { ClaimsExpressionError, compileClaimsExpression } from './claims-policy.ts';
import { compileOnce } from './compiled-rules.ts';
import { createViolationError, DomainError } from './errors.ts';
import { explainVerdict, withoutValues } from './explain-verdict.ts';
import type { VerdictExplanation } from './explain-verdict.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { LoginFailure } from './login-failure.ts';
import type { LoginFailureReason } from './login-failure.ts';
import { decideAdmission } from './login.ts';
import type { Cursor } from './page.ts';
import type { Environment } from './ports.ts';
import { getSsoConfiguration } from './sso-configuration.ts';
import type { SsoConfiguration } from './sso-configuration.ts';
import { limitTrial } from './trial-limits.ts';

/** A login attempt whose claims are still there. */
export interface KeptAttempt {
  readonly attempt: LoginAttempt;
  /** `undefined` when they can no longer be decrypted. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
}

/** Someone for whom the change makes a difference. It holds no claim's value. */
export interface PreviewedPerson {
  /** Their newest that was looked at. */
  readonly attempt: LoginAttempt;
  /** What would keep them out, or kept them out. */
  readonly reason: LoginFailureReason;
  readonly detail: string;
  /** Only where the rule is the reason. */
  readonly explanation: VerdictExplanation | undefined;
}

export interface ClaimsPreview {
  readonly replayedAttempts: number;
  readonly people: number;
  readonly shutOutCount: number;
  readonly letInCount: number;
  /** The first 100, newest first. */
  readonly shutOut: readonly PreviewedPerson[];
  readonly letIn: readonly PreviewedPerson[];
  /** Every attempt was looked at. */
  readonly complete: boolean;
}

/** Refuses a change that would shut somebody out. */
export class ShutOutError extends DomainError {
  readonly preview: ClaimsPreview;

  constructor(message: string, preview: ClaimsPreview) {
    super('failed_precondition', message, { reason: 'WOULD_SHUT_OUT' });
    this.preview = preview;
  }
}

/** What decides who may come in, of a configuration. */
type AdmissionRules = Pick<SsoConfiguration, 'claims' | 'claimsExpression' | 'emailDomains'>;

const PAGE_SIZE = 100;
const SHOWN = 100;
/** Attempts between two turns that others get. */
const TURN = 25;
/** How long one preview may take, in milliseconds: a rule that costs all it may would take minutes. */
const TIME_LIMIT = 2_000;

/** For admins. Fails with `not_found`, `invalid_argument` for an expression that cannot be used, `resource_exhausted`. */
export async function previewClaimsExpression(
  env: Environment,
  caller: Principal,
  ssoConfigurationId: string,
  claimsExpression: string,
): Promise<ClaimsPreview> {
  const current = await getSsoConfiguration(env, caller, ssoConfigurationId);
  await limitTrial(env, 'preview', current.organizationId);
  checkExpression(claimsExpression);
  return replay(env, current, { ...current, claimsExpression }, () => true);
}

/**
 * Whom a change would shut out of those who got in since then; nobody else is in it.
 *
 * @param since attempts before it do not count
 */
export async function previewShutOut(
  env: Environment,
  current: SsoConfiguration,
  changed: AdmissionRules,
  since: Date,
): Promise<ClaimsPreview> {
  const isRecent = ({ outcome, at }: LoginAttempt): boolean =>
    outcome === 'admitted' && at.getTime() >= since.getTime();
  return replay(env, current, changed, isRecent, since);
}

async function replay(
  env: Environment,
  current: SsoConfiguration,
  changed: AdmissionRules,
  counts: (attempt: LoginAttempt) => boolean,
  since = new Date(env.now().getTime() - env.attemptRetention.maxAgeMs),
): Promise<ClaimsPreview> {
  const deadline = env.now().getTime() + TIME_LIMIT;
  const known = new Set<string>();
  const shutOut = createList();
  const letIn = createList();
  let replayedAttempts = 0;
  let complete = true;
  for await (const { attempt, claims } of readKeptAttempts(env, current.id, since)) {
    if (!counts(attempt)) continue;
    if (claims === undefined || env.now().getTime() > deadline) {
      complete = false;
      if (claims === undefined) continue;
      break;
    }
    replayedAttempts += 1;
    if (replayedAttempts % TURN === 0) await giveTurn();
    const person = namePerson(claims, attempt);
    if (known.has(person)) continue;
    known.add(person);
    const before = findRefusal(current, claims);
    const after = findRefusal(changed, claims);
    // Who is out already is not shut out by this change.
    if (before === undefined && after !== undefined) {
      shutOut.add(() => describePerson(attempt, after, changed, claims));
    }
    if (before !== undefined && after === undefined) {
      letIn.add(() => describePerson(attempt, before, current, claims));
    }
  }
  return {
    replayedAttempts,
    people: known.size,
    shutOutCount: shutOut.count(),
    letInCount: letIn.count(),
    shutOut: shutOut.shown,
    letIn: letIn.shown,
    complete,
  };
}

async function* readKeptAttempts(
  { store }: Environment,
  ssoConfigurationId: string,
  since: Date,
): AsyncGenerator<KeptAttempt> {
  let after: Cursor | undefined;
  do {
    const page = await store.listKeptAttempts(ssoConfigurationId, { size: PAGE_SIZE, after });
    for (const kept of page.rows) {
      if (kept.attempt.at.getTime() < since.getTime()) return;
      yield kept;
    }
    after = page.next;
  } while (after !== undefined);
}

/** Identity is issuer and subject; whoever has neither counts by themselves. */
function namePerson({ iss, sub }: Readonly<Record<string, unknown>>, { id }: LoginAttempt): string {
  return typeof sub === 'string' ? JSON.stringify([iss, sub]) : id;
}

function findRefusal(
  configuration: AdmissionRules,
  claims: Readonly<Record<string, unknown>>,
): LoginFailure | undefined {
  try {
    decideAdmission(configuration, claims);
    return undefined;
  } catch (error) {
    if (error instanceof LoginFailure) return error;
    throw error;
  }
}

function describePerson(
  attempt: LoginAttempt,
  { stage, reason, detail }: LoginFailure,
  { claimsExpression }: AdmissionRules,
  claims: Readonly<Record<string, unknown>>,
): PreviewedPerson {
  const explanation =
    stage === 'policy' && claimsExpression !== ''
      ? withoutValues(explainVerdict(compileOnce(claimsExpression), claims).explanation)
      : undefined;
  return { attempt, reason, detail, explanation };
}

/** Counts all, and describes those that are shown. */
function createList() {
  const shown: PreviewedPerson[] = [];
  let count = 0;
  return {
    shown,
    count: () => count,
    add(describe: () => PreviewedPerson): void {
      count += 1;
      if (shown.length < SHOWN) shown.push(describe());
    },
  };
}

function checkExpression(expression: string): void {
  if (expression === '') return;
  try {
    compileClaimsExpression(expression);
  } catch (error) {
    if (!(error instanceof ClaimsExpressionError)) throw error;
    throw createViolationError([
      {
        field: 'claims_expression',
        rule: 'claims_expression.compile',
        message: `line ${error.line}, column ${error.column}: ${error.message}`,
      },
    ]);
  }
}

/** Lets others have the processor. */
function giveTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
