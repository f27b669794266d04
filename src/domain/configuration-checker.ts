/**
 * Owns the port that looks at a client registration from the outside: whether its identity provider is there, says what
 * logins need, and knows the client. Nobody signs in by it.
 */

/** In the order in which they are looked at. */
export const CHECK_STAGES = [
  'issuer',
  'discovery',
  'keys',
  'pkce',
  'scopes',
  'claims',
  'client_authentication',
  'redirect_uri',
] as const;

export type CheckStageName = (typeof CHECK_STAGES)[number];

export type CheckOutcome = 'passed' | 'failed' | 'warned' | 'skipped';

export interface CheckStage {
  readonly name: CheckStageName;
  readonly outcome: CheckOutcome;
  /** Holds no secret, and of an answer's body no more than the issuer that a discovery document names. */
  readonly seen: string;
  /** What to do; empty when nothing is to be done. */
  readonly advice: string;
}

export interface CheckRequest {
  readonly issuerUrl: string;
  readonly clientId: string;
  /** Without it, client authentication is skipped. */
  readonly clientSecret: string | undefined;
  /** What logins ask for. */
  readonly scopes: readonly string[];
  /** Names of the claims that the rule and the mapping use. */
  readonly claims: readonly string[];
  readonly redirectUri: string;
  /** Stands for an authorization code, and for its verifier: random, so that it is none that was issued. */
  readonly wrongCode: string;
}

export interface ConfigurationChecker {
  /** All stages, each once, in order. Never fails; asks anew, and remembers nothing. At most 20 seconds. */
  check(request: CheckRequest): Promise<readonly CheckStage[]>;
}
