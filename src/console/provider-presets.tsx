/**
 * Owns what each identity provider calls things: where to click there, and how it writes its issuer URL. As their
 * consoles were in 2026; what they rename, we follow here.
 */
import type { ReactNode } from 'react';

export interface ProviderPreset {
  /** In addresses, so it stays. */
  readonly id: string;
  readonly name: string;
  /** What an admin does there, in order. The redirect URI stands above, to be copied. */
  readonly steps: readonly ReactNode[];
  /** How it writes its issuer. */
  readonly issuerPattern: string;
  /** What to mind about the issuer. */
  readonly issuerNote: ReactNode;
  /** Where there is one for all. */
  readonly issuerUrl?: string;
  /** Why this issuer will not work; `undefined` when nothing is wrong with it as far as its form tells. */
  readonly doubtIssuer?: (issuerUrl: string) => string | undefined;
  /** Where it keeps the client id and the secret. */
  readonly secretNote: ReactNode;
  /** How groups come into its claims. */
  readonly groupsNote: ReactNode;
  /** A scope that brings the groups. */
  readonly groupsScope?: string;
  /** A rule that it needs to be of use. */
  readonly suggestRule?: (emailDomain: string) => string;
}

const OKTA: ProviderPreset = {
  id: 'okta',
  name: 'Okta',
  steps: [
    <>
      In the Okta Admin Console, open <b>Applications → Applications</b> and choose{' '}
      <b>Create App Integration</b>.
    </>,
    <>
      Choose <b>OIDC – OpenID Connect</b> and <b>Web Application</b>, then <b>Next</b>.
    </>,
    <>
      Leave <b>Authorization Code</b> as the only grant type. Put the redirect URI above under{' '}
      <b>Sign-in redirect URIs</b>, in place of the one that stands there.
    </>,
    <>
      Under <b>Assignments</b>, say who may use it, and <b>Save</b>.
    </>,
    <>
      On the tab <b>Sign On</b>, set the issuer to <b>Okta URL</b> instead of <b>Dynamic</b>.
    </>,
  ],
  issuerPattern: 'https://your-company.okta.com',
  issuerNote: (
    <>
      Your Okta address, without a slash at its end and without <code>-admin</code>. If you use a
      custom authorization server, its issuer, such as{' '}
      <code>https://your-company.okta.com/oauth2/default</code>.
    </>
  ),
  doubtIssuer: (issuerUrl) => {
    if (/-admin\.okta/.test(issuerUrl)) return 'This is the admin console. Leave out "-admin".';
    return doubtSlash(issuerUrl);
  },
  secretNote: (
    <>
      Both are on the tab <b>General</b> of the application, under <b>Client Credentials</b>.
    </>
  ),
  groupsNote: (
    <>
      On <b>Sign On → OpenID Connect ID Token</b>, add a groups claim named <code>groups</code> with
      a filter that matches the groups you want to send, such as <b>Matches regex</b>{' '}
      <code>.*</code>, and ask for the scope <code>groups</code>.
    </>
  ),
  groupsScope: 'groups',
};

const ENTRA: ProviderPreset = {
  id: 'entra',
  name: 'Microsoft Entra ID',
  steps: [
    <>
      In the Microsoft Entra admin center, open <b>App registrations</b> and choose{' '}
      <b>New registration</b>.
    </>,
    <>
      Give it a name and choose <b>Accounts in this organizational directory only</b>.
    </>,
    <>
      Under <b>Redirect URI</b>, choose the platform <b>Web</b> and put the redirect URI above. Then{' '}
      <b>Register</b>.
    </>,
    <>
      Under <b>Token configuration</b>, choose <b>Add optional claim → ID</b> and tick <b>email</b>.
      Let it turn on the permission that it asks for.
    </>,
    <>
      Under <b>Certificates &amp; secrets</b>, choose <b>New client secret</b> and note when it
      expires: nobody can sign in after that day until you put the next one here.
    </>,
  ],
  issuerPattern: 'https://login.microsoftonline.com/your-tenant-id/v2.0',
  issuerNote: (
    <>
      With the <b>Directory (tenant) ID</b> from the overview of the app registration, and{' '}
      <code>/v2.0</code> at its end. <code>common</code> and <code>organizations</code> do not work:
      they would let any Microsoft account in.
    </>
  ),
  doubtIssuer: (issuerUrl) => {
    if (/\/(?:common|organizations|consumers)\//.test(`${issuerUrl}/`))
      return 'Put your tenant id in place of "common", "organizations" or "consumers".';
    if (/microsoftonline\.com/.test(issuerUrl) && !issuerUrl.endsWith('/v2.0'))
      return 'It ends with "/v2.0", without a slash behind it.';
    return undefined;
  },
  secretNote: (
    <>
      The client id is the <b>Application (client) ID</b> of the overview. The secret is the{' '}
      <b>Value</b> of the new client secret, which is shown once, and not its <b>Secret ID</b>.
    </>
  ),
  groupsNote: (
    <>
      Under <b>Token configuration</b>, choose <b>Add groups claim</b>. Groups come as their object
      ids, and not at all for people in more than 200 of them: then assign groups to the application
      and send those alone.
    </>
  ),
};

const GOOGLE: ProviderPreset = {
  id: 'google',
  name: 'Google Workspace',
  steps: [
    <>
      In the Google Cloud console, open <b>Google Auth Platform</b> in a project of your company and
      fill in <b>Branding</b>. Under <b>Audience</b>, choose <b>Internal</b>.
    </>,
    <>
      Under <b>Clients</b>, choose <b>Create client</b> and the type <b>Web application</b>.
    </>,
    <>
      Put the redirect URI above under <b>Authorized redirect URIs</b>, and <b>Create</b>.
    </>,
  ],
  issuerPattern: 'https://accounts.google.com',
  issuerUrl: 'https://accounts.google.com',
  issuerNote: <>The same for everybody, without a slash at its end.</>,
  doubtIssuer: (issuerUrl) =>
    issuerUrl === 'https://accounts.google.com'
      ? undefined
      : 'The issuer of Google is "https://accounts.google.com".',
  secretNote: (
    <>
      Both are shown when the client has been created. The id ends with{' '}
      <code>.apps.googleusercontent.com</code>.
    </>
  ),
  groupsNote: <>Google sends no groups.</>,
  // Everybody with a Google account has this issuer; the company's own have `hd` (Google Identity, "ID token payload").
  suggestRule: (emailDomain) => `claims.hd == ${JSON.stringify(emailDomain)}`,
};

const AUTH0: ProviderPreset = {
  id: 'auth0',
  name: 'Auth0',
  steps: [
    <>
      In the Auth0 Dashboard, open <b>Applications → Applications</b> and choose{' '}
      <b>Create Application</b>, of the type <b>Regular Web Applications</b>.
    </>,
    <>
      On its tab <b>Settings</b>, put the redirect URI above under <b>Allowed Callback URLs</b>, and{' '}
      <b>Save</b>.
    </>,
    <>
      On its tab <b>Connections</b>, leave only those on whose people are to come in.
    </>,
  ],
  issuerPattern: 'https://your-tenant.eu.auth0.com/',
  issuerNote: (
    <>
      The <b>Domain</b> of the tab <b>Settings</b>, with <code>https://</code> before it and a slash
      at its end. With a custom domain, that.
    </>
  ),
  doubtIssuer: (issuerUrl) =>
    issuerUrl.endsWith('/') ? undefined : 'The issuer of Auth0 ends with a slash.',
  secretNote: (
    <>
      Both are at the top of the tab <b>Settings</b>.
    </>
  ),
  groupsNote: (
    <>
      Add them with a post-login Action, as a claim whose name is a URL of yours, such as{' '}
      <code>https://example.com/groups</code>; then map <b>groups</b> to that name.
    </>
  ),
};

const KEYCLOAK: ProviderPreset = {
  id: 'keycloak',
  name: 'Keycloak',
  steps: [
    <>
      In the Keycloak Admin Console, switch to your realm, open <b>Clients</b> and choose{' '}
      <b>Create client</b>.
    </>,
    <>
      Leave <b>OpenID Connect</b>, give it a client id, then <b>Next</b>.
    </>,
    <>
      Switch <b>Client authentication</b> on and leave <b>Standard flow</b> as the only flow, then{' '}
      <b>Next</b>.
    </>,
    <>
      Put the redirect URI above under <b>Valid redirect URIs</b>, and <b>Save</b>.
    </>,
  ],
  issuerPattern: 'https://keycloak.example.com/realms/your-realm',
  issuerNote: (
    <>
      The address of the realm, without a slash at its end. Keycloak before version 17 has{' '}
      <code>/auth</code> before <code>/realms</code>.
    </>
  ),
  doubtIssuer: (issuerUrl) => {
    if (!issuerUrl.includes('/realms/'))
      return 'It has "/realms/" and the name of the realm in it.';
    return doubtSlash(issuerUrl);
  },
  secretNote: (
    <>
      The client id is the one that you gave it. The secret is on the tab <b>Credentials</b>.
    </>
  ),
  groupsNote: (
    <>
      Under <b>Client scopes</b>, open the one that ends with <code>-dedicated</code>, and add the
      mapper <b>Group Membership</b> with the token claim name <code>groups</code> and without the
      full group path.
    </>
  ),
};

const OTHER: ProviderPreset = {
  id: 'other',
  name: 'Another provider',
  steps: [
    <>
      Register an application there. It may be called a web application, a confidential client, a
      relying party or an OIDC integration.
    </>,
    <>
      Choose the <b>authorization code</b> flow, with a client secret. PKCE is used (S256).
    </>,
    <>
      Put the redirect URI above where it asks for redirect URIs, callback URLs or reply URLs,
      character for character.
    </>,
    <>
      Let it send the claims <code>email</code> and <code>email_verified</code>.
    </>,
  ],
  issuerPattern: 'https://idp.example.com',
  issuerNote: (
    <>
      What its discovery document says as <code>issuer</code>, character for character. You find the
      document at the issuer, with <code>/.well-known/openid-configuration</code> behind it.
    </>
  ),
  doubtIssuer: (issuerUrl) =>
    issuerUrl.includes('/.well-known/')
      ? 'This is the discovery document. Leave out "/.well-known/…".'
      : undefined,
  secretNote: <>It shows both once the application is registered.</>,
  groupsNote: <>Look for a scope or a claim for groups or roles in its documentation.</>,
};

function doubtSlash(issuerUrl: string): string | undefined {
  return issuerUrl.endsWith('/') ? 'It has no slash at its end.' : undefined;
}

export const PROVIDER_PRESETS: readonly ProviderPreset[] = [
  OKTA,
  ENTRA,
  GOOGLE,
  AUTH0,
  KEYCLOAK,
  OTHER,
];
