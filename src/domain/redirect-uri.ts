/**
 * Owns the redirect URI that an organization registers at its identity providers (RFC 6749 §3.1.2).
 *
 * Each organization has one of its own. With one for all, an organization's admin who runs an identity provider could
 * have a person sent on from there to the identity provider of another organization; its code would come back to the
 * one address that both share, and we would hand it to the wrong token endpoint (mix-up, RFC 9700 §4.4). As it is, the
 * code comes back under the other organization's address, where the login is refused before anything is sent.
 */
const PATH = '/auth/oidc/callback/';

const CALLBACK = /^\/auth\/oidc\/callback\/([0-9a-f-]{36})$/;

export function createRedirectUri(publicUrl: string, organizationId: string): string {
  return `${publicUrl}${PATH}${organizationId}`;
}

/** The organization whose redirect URI this path is, or `undefined` when it is none. */
export function readCallbackPath(path: string): string | undefined {
  return CALLBACK.exec(path)?.[1];
}
