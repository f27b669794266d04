/**
 * Owns looking at a client registration from the outside: the `ConfigurationChecker` port. It sends what a login sends,
 * under the same rules (`guarded-fetch.ts`), but for a code that is deliberately wrong.
 *
 *     issuer ──▶ discovery ──▶ keys, pkce, scopes, claims ──▶ client_authentication          redirect_uri
 *     (a stage that fails has those behind it skipped)
 *
 * An admin chooses where we connect to, so what is told of it is bounded: the kind of a failure, an HTTP status, and of a
 * document the issuer it names, when that is a URL, and what of our own scopes and claims it leaves out. Since private
 * addresses are refused before anything is sent, and refused alike whatever port and path, the report says nothing of a
 * network that its reader could not ask by themselves.
 */
import { authorizationCodeGrant } from 'openid-client';
import { CHECK_STAGES } from '../domain/configuration-checker.ts';
import type {
  CheckRequest,
  CheckStage,
  CheckStageName,
  ConfigurationChecker,
} from '../domain/configuration-checker.ts';
import { LoginFailure } from '../domain/login-failure.ts';
import type { Clock } from '../domain/ports.ts';
import { judgeClaims, judgePkce, judgeRedirectUri, judgeScopes } from './check-announcements.ts';
import { createVerifyingConfiguration } from './client-configuration.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { fetchKeySet } from './key-set.ts';
import type { KeySet } from './key-set.ts';
import { explainGrantError } from './library-errors.ts';
import { fetchJsonObject } from './outbound-failure.ts';
import { buildDiscoveryUrl, readProviderMetadata } from './provider-metadata.ts';
import type { ProviderMetadata } from './provider-metadata.ts';
import type { RememberedValue } from './remembered-value.ts';
import { limitRequests, TIME_BUDGET } from './time-budget.ts';

export interface ConfigurationCheckerOptions {
  readonly guarded: GuardedFetch;
  readonly now: Clock;
  /** For all requests of one check, in milliseconds. */
  readonly budgetMs?: number;
}

/** A stage without its name. */
export type Finding = Omit<CheckStage, 'name'>;

type Document = Readonly<Record<string, unknown>>;

export function createConfigurationChecker(
  options: ConfigurationCheckerOptions,
): ConfigurationChecker {
  return {
    async check(request) {
      const { now, budgetMs = TIME_BUDGET } = options;
      const guarded = limitRequests(options.guarded, AbortSignal.timeout(budgetMs));
      const findings = await inspect({ guarded, now }, request);
      return CHECK_STAGES.map((name) => ({ name, ...(findings[name] ?? SKIPPED) }));
    },
  };
}

const SKIPPED: Finding = {
  outcome: 'skipped',
  seen: 'Not looked at, because an earlier stage failed.',
  advice: '',
};

type Findings = Partial<Record<CheckStageName, Finding>>;

async function inspect(
  { guarded, now }: ConfigurationCheckerOptions,
  request: CheckRequest,
): Promise<Findings> {
  const redirect = { redirect_uri: judgeRedirectUri(request.redirectUri) };
  const fetched = await attempt(() =>
    fetchJsonObject(
      guarded,
      buildDiscoveryUrl(request.issuerUrl),
      'discovery',
      'discovery document',
    ),
  );
  if (!fetched.ok) return { ...redirect, issuer: explainUnreachable(fetched.failure) };
  const issuer = pass('The issuer answers with a discovery document.');
  const document = fetched.value;
  const read = await attempt(async () =>
    readProviderMetadata(document, request.issuerUrl, guarded),
  );
  if (!read.ok) {
    const discovery = explainDiscovery(read.failure, document, request.issuerUrl);
    return { ...redirect, issuer, discovery };
  }
  const metadata = read.value;
  const keys = await attempt(() => fetchKeySet(guarded, metadata.jwksUri));
  return {
    ...redirect,
    issuer,
    discovery: pass('The discovery document names this issuer and all endpoints that are needed.'),
    keys: keys.ok ? describeKeys(keys.value, metadata) : explainKeys(keys.failure),
    pkce: judgePkce(document),
    scopes: judgeScopes(document, request.scopes),
    claims: judgeClaims(document, request.claims),
    client_authentication: await tryClient({ guarded, now }, request, metadata),
  };
}

type Attempted<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: LoginFailure };

async function attempt<Value>(run: () => Promise<Value>): Promise<Attempted<Value>> {
  try {
    return { ok: true, value: await run() };
  } catch (failure) {
    if (failure instanceof LoginFailure) return { ok: false, failure };
    throw failure;
  }
}

const pass = (seen: string): Finding => ({ outcome: 'passed', seen, advice: '' });

function explainUnreachable({ reason, detail }: LoginFailure): Finding {
  const advice: Partial<Record<LoginFailure['reason'], string>> = {
    issuer_unreachable:
      'Check the spelling of issuer_url, and that it can be reached from the internet.',
    issuer_timeout:
      'Check that the identity provider can be reached from the internet, and answers within 10 seconds.',
    issuer_refused_address: 'Use an issuer on the public internet.',
    issuer_refused_url: 'Use an https issuer.',
    issuer_tls_failed:
      'Have the identity provider use a certificate that browsers trust, with its whole chain.',
    issuer_redirected: 'Set issuer_url to the issuer itself, as the identity provider writes it.',
  };
  return {
    outcome: 'failed',
    seen: detail,
    advice:
      advice[reason] ??
      'Set issuer_url so that /.well-known/openid-configuration below it is the discovery document (OpenID Connect Discovery §4).',
  };
}

/** What the document says is shown only where it is a URL, which an issuer must be. */
function explainDiscovery(
  { reason, detail }: LoginFailure,
  document: Document,
  issuerUrl: string,
): Finding {
  if (reason !== 'issuer_mismatch') {
    return {
      outcome: 'failed',
      seen: detail,
      advice: 'Ask whoever runs the identity provider to correct its discovery document.',
    };
  }
  const { issuer } = document;
  const isUrl =
    typeof issuer === 'string' &&
    /^https?:\/\/[\w.~:/%-]{1,200}$/.test(issuer) &&
    URL.canParse(issuer);
  return {
    outcome: 'failed',
    seen: isUrl
      ? `The discovery document is of issuer ${issuer}, and issuer_url is ${issuerUrl}.`
      : `The discovery document is of another issuer than ${issuerUrl}.`,
    advice: isUrl
      ? `Set issuer_url to ${issuer}, character for character: a slash at the end counts.`
      : 'Set issuer_url to the issuer, character for character, as the identity provider writes it.',
  };
}

function describeKeys({ keys }: KeySet, metadata: ProviderMetadata): Finding {
  const algorithms = metadata.idTokenSigningAlgorithms.join(', ');
  const count = keys.length === 1 ? '1 public key' : `${keys.length} public keys`;
  return pass(`${count} for signatures; ID tokens are signed with ${algorithms}.`);
}

function explainKeys({ detail }: LoginFailure): Finding {
  return {
    outcome: 'failed',
    seen: detail,
    advice: 'Ask whoever runs the identity provider to publish its keys at jwks_uri.',
  };
}

/** RFC 6749 §5.2: a client that is known is told that the code is wrong; one that is not, that it is not known. */
async function tryClient(
  { guarded, now }: ConfigurationCheckerOptions,
  { issuerUrl, clientId, clientSecret, redirectUri, wrongCode }: CheckRequest,
  metadata: ProviderMetadata,
): Promise<Finding> {
  if (clientSecret === undefined) {
    return {
      outcome: 'skipped',
      seen: 'There is no client secret to try.',
      advice:
        'Give the client secret. A stored one is used only where issuer_url and client_id are those that it was stored with.',
    };
  }
  const registration = { issuerUrl, clientId, clientSecret };
  const configuration = createVerifyingConfiguration(
    { registration, metadata, guarded, now },
    NO_KEYS,
    NO_KEY_SET,
  );
  const callback = new URL(redirectUri);
  callback.search = new URLSearchParams({ code: wrongCode, iss: metadata.issuer }).toString();
  try {
    await authorizationCodeGrant(configuration, callback, { pkceCodeVerifier: wrongCode });
  } catch (error) {
    const failure = await explainGrantError(error, [clientSecret, wrongCode]);
    return judgeRefusal(failure, metadata);
  }
  return UNHEARD_OF;
}

/** No token is to be verified: there will be none. */
const NO_KEYS: KeySet = { keys: [] };
const NO_KEY_SET: RememberedValue<KeySet> = {
  get: async () => NO_KEYS,
  refresh: async () => NO_KEYS,
  distrust: () => {},
};

const UNHEARD_OF: Finding = {
  outcome: 'failed',
  seen: 'The token endpoint took a code that was never issued.',
  advice: 'Do not use this identity provider before it refuses such codes.',
};

/** The details of these failures quote the identity provider, so others stand here. */
function judgeRefusal(
  { stage, reason, detail }: LoginFailure,
  metadata: ProviderMetadata,
): Finding {
  const method = metadata.clientAuthMethod;
  if (stage === 'id_token') return UNHEARD_OF;
  if (reason === 'invalid_grant') {
    return pass(`The client is known (${method}); a wrong code was refused, as it should be.`);
  }
  if (reason === 'invalid_client') {
    return {
      outcome: 'failed',
      seen: `The identity provider does not know the client, or not with this secret (invalid_client by ${method}).`,
      advice: 'Compare client_id and client_secret with the registration at the identity provider.',
    };
  }
  if (reason === 'token_refused') {
    return {
      outcome: 'warned',
      seen: `The token endpoint refused with ${readErrorCode(detail)}, before it looked at the code.`,
      advice:
        'Check that the registration is a confidential web application, allows the authorization code flow, and has the redirect URI.',
    };
  }
  if (reason === 'token_invalid' || reason === 'issuer_response_invalid') {
    return {
      outcome: 'warned',
      seen: 'The answer of the token endpoint is none that OAuth knows.',
      advice: 'Try a test login, which tells more.',
    };
  }
  return {
    outcome: 'failed',
    seen: detail,
    advice: 'Check that the token endpoint can be reached from the internet.',
  };
}

/** An error code that is one, such as `unauthorized_client`: letters of the alphabet, and nothing that quotes a body. */
function readErrorCode(detail: string): string {
  const [, code] = /^token_endpoint: ([a-z_]{1,64})(?:[:.]|$)/.exec(detail) ?? [];
  return code !== undefined && KNOWN_ERRORS.has(code) ? code : 'an error of its own';
}

/** RFC 6749 §5.2, and what some identity providers say instead. */
const KNOWN_ERRORS: ReadonlySet<string> = new Set([
  'invalid_request',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
]);
