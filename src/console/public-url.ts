/** Owns where the console is: the URL under which people reach the server, and the path that all of ours begin with. */

const written =
  document.querySelector<HTMLMetaElement>('meta[name="claimgate-public-url"]')?.content ?? '';

/** Such as `https://sso.example.com`, without a slash at its end. */
export const PUBLIC_URL = (written === '' ? location.origin : written).replace(/\/+$/, '');

/** Empty, or the path of the public URL where a proxy takes one away, such as `/sso`. */
export const BASE_PATH = new URL(PUBLIC_URL).pathname.replace(/\/+$/, '');

/** What an organization registers at its identity providers, character for character. */
export function createRedirectUri(organizationId: string): string {
  return `${PUBLIC_URL}/auth/oidc/callback/${organizationId}`;
}

/** Whether the browser shows us under our own name. Under another one, nobody can sign in. */
export const IS_OWN_ORIGIN = location.origin === new URL(PUBLIC_URL).origin;
