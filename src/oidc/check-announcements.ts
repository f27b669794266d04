/** Owns judging what a discovery document announces, and our own redirect URI: what can be told without a request. */
import { findScope } from '../domain/claim-hints.ts';
import type { CheckStage } from '../domain/configuration-checker.ts';

type Finding = Omit<CheckStage, 'name'>;
type Document = Readonly<Record<string, unknown>>;

/** RFC 8414 §2: what is left out is not supported, but many identity providers support it all the same. */
export function judgePkce(document: Document): Finding {
  const methods = readList(document, 'code_challenge_methods_supported');
  if (methods?.includes('S256') === true) return pass('PKCE with S256 is announced.');
  if (methods === undefined) {
    return {
      outcome: 'warned',
      seen: 'The identity provider does not say whether it knows PKCE.',
      advice:
        'Logins send S256 in any case. Should they fail, switch PKCE on at the identity provider.',
    };
  }
  return {
    outcome: 'failed',
    seen: 'The identity provider announces PKCE without S256.',
    advice: 'Have S256 switched on at the identity provider: logins use no other.',
  };
}

/** OpenID Connect Discovery §3: an identity provider may support more than it lists. */
export function judgeScopes(document: Document, wanted: readonly string[]): Finding {
  const offered = readList(document, 'scopes_supported');
  if (offered === undefined) {
    return {
      outcome: 'warned',
      seen: 'The identity provider does not list its scopes.',
      advice: `Check there that the application may ask for ${wanted.join(' ')}.`,
    };
  }
  const missing = wanted.filter((scope) => !offered.includes(scope));
  if (missing.length === 0)
    return pass(`Every scope that is asked for is offered: ${wanted.join(' ')}.`);
  return {
    outcome: 'warned',
    seen: `Not among the scopes that are listed: ${missing.join(' ')}.`,
    advice:
      'Logins fail where the identity provider refuses unknown scopes. Check their spelling, or remove them from additional_scopes.',
  };
}

export function judgeClaims(document: Document, wanted: readonly string[]): Finding {
  const offered = readList(document, 'claims_supported');
  if (offered === undefined) {
    return {
      outcome: 'warned',
      seen: 'The identity provider does not list its claims.',
      advice: `A test login shows whether these come: ${wanted.join(', ')}.`,
    };
  }
  const missing = wanted.filter((claim) => !offered.includes(claim));
  if (missing.length === 0) {
    return pass(`Every claim that the rule and the mapping use is offered: ${wanted.join(', ')}.`);
  }
  return {
    outcome: 'warned',
    seen: `Not among the claims that are listed: ${missing.join(', ')}.`,
    advice: `${missing.map(adviseOnClaim).join(' ')} Lists are often incomplete: a test login shows what really comes.`,
  };
}

function adviseOnClaim(claim: string): string {
  const scope = findScope(claim);
  return scope === undefined
    ? `Have "${claim}" added to the ID token or to userinfo.`
    : `"${claim}" usually comes with the scope "${scope}".`;
}

/** Whether it is registered, the identity provider alone knows, and it tells nobody but a browser. */
export function judgeRedirectUri(redirectUri: string): Finding {
  const { protocol, hostname } = new URL(redirectUri);
  if (protocol !== 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    return {
      outcome: 'failed',
      seen: `The redirect URI is ${redirectUri}, and signing in needs https.`,
      advice: 'Ask the operator of this server to set CLAIMGATE_PUBLIC_URL to its https address.',
    };
  }
  return {
    outcome: 'skipped',
    seen: 'Only a login shows whether the redirect URI is registered.',
    advice: `Register exactly this redirect URI at the identity provider: ${redirectUri}`,
  };
}

const pass = (seen: string): Finding => ({ outcome: 'passed', seen, advice: '' });

function readList(document: Document, name: string): readonly unknown[] | undefined {
  const value = document[name];
  return Array.isArray(value) ? value : undefined;
}
