/**
 * Owns the port to a customer's identity provider: what a login asks of it, and what comes back proven. It refuses to
 * own who may come in (`claims-policy.ts`), and what a claim means to us (`claims-mapping.ts`).
 *
 *     startLogin ──▶ browser at the identity provider ──▶ our callback ──▶ completeLogin ──▶ VerifiedClaims
 *
 * Every method fails with `LoginFailure` and with nothing else.
 */

/** One OIDC client registration: what an SSO configuration says, with its secret. */
export interface ClientRegistration {
  /** Issuer identifier (OpenID Connect Core §2). Discovery must state the same, character for character. */
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What binds an authorization response to the login that asked for it. Random, fresh for each login, never logged. */
export interface LoginBinding {
  /** Where the identity provider sends the browser: built from our public URL, never from a request. */
  readonly redirectUri: string;
  /** RFC 6749 §10.12. */
  readonly state: string;
  /** OpenID Connect Core §15.5.2. */
  readonly nonce: string;
  /** RFC 7636 §4.1: 43 to 128 unreserved characters. */
  readonly codeVerifier: string;
}

export interface StartLoginRequest extends LoginBinding {
  /** Each once, `openid` among them. */
  readonly scopes: readonly string[];
  /** The email that the person typed (OpenID Connect Core §3.1.2.1). */
  readonly loginHint?: string | undefined;
}

export interface CompleteLoginRequest extends LoginBinding {
  /** The callback's query as it was received. A parameter that comes twice is refused. */
  readonly callbackParameters: URLSearchParams;
}

/** What the identity provider says of a person, after every check has passed. */
export interface VerifiedClaims {
  readonly issuer: string;
  /** Unique and never reassigned within the issuer: 1 to 255 characters. */
  readonly subject: string;
  /**
   * The ID token's claims and userinfo's, merged. Userinfo has the last word on what it says of the person, none on
   * `sub` and the other claims that the token makes about itself, and `email_verified` stays with the `email` that it
   * was said of.
   */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Speaks the authorization code flow with PKCE to any identity provider.
 *
 * Waits at most 10 seconds for each answer of the identity provider, and 20 for all that a login takes. What discovery
 * and its key set say is remembered for 10 minutes; a signature by an unknown key asks for the key set anew, at most
 * once in 30 seconds.
 */
export interface IdentityProvider {
  /** The absolute URL to send the browser to. */
  startLogin(registration: ClientRegistration, request: StartLoginRequest): Promise<string>;
  /**
   * Checks the callback, trades its code, and verifies what comes back. A code is spent by the first call, whatever its
   * outcome.
   */
  completeLogin(
    registration: ClientRegistration,
    request: CompleteLoginRequest,
  ): Promise<VerifiedClaims>;
}
