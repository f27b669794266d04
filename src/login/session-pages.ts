/** Owns the pages of who is signed in, and of those who leave. */
import type { User } from '../domain/organization.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import type { LoginPaths } from './login-context.ts';
import type { Page } from './page.ts';

/** Our front page, for somebody or nobody. */
export function createHomePage(
  paths: LoginPaths,
  user: Pick<User, 'name' | 'email' | 'role'> | undefined,
  hasConsole: boolean,
): Page {
  if (user === undefined) {
    return {
      title: 'Welcome',
      content: html`<h1>Claimgate</h1>
        <p>You are not signed in.</p>
        <p><a class="button" href="${paths.login}">Sign in</a></p>`,
    };
  }
  return {
    title: 'Signed in',
    content: html`<h1>You are signed in</h1>
      <p>
        <bdi>${user.name}</bdi>${user.email !== user.name && html`<br /><bdi>${user.email}</bdi>`}
      </p>
      ${hasConsole && user.role === 'admin' && html`<p><a href="${paths.home}">Open the console</a></p>`}
      ${createSignOutForm(paths, '')}`,
    postsForm: true,
  };
}

export function createLogoutPage(paths: LoginPaths, returnTo: string): Page {
  return {
    title: 'Sign out',
    content: html`<h1>Sign out</h1>
      <p>This ends your session in this browser. Your identity provider may still know you.</p>
      ${createSignOutForm(paths, returnTo)}`,
    postsForm: true,
  };
}

export function createSignedOutPage(paths: LoginPaths): Page {
  return {
    title: 'Signed out',
    content: html`<h1>You are signed out</h1>
      <p><a class="button" href="${paths.login}">Sign in again</a></p>`,
  };
}

/** Leaving was asked for by a page that may not ask. */
export function createForeignLogoutPage(paths: LoginPaths): Page {
  return {
    title: 'Nothing was changed',
    content: html`<h1>Nothing was changed</h1>
      <p>
        Another site asked to sign you out, and it may not. If you want to sign out, do it here.
      </p>
      ${createSignOutForm(paths, '')}`,
    postsForm: true,
  };
}

function createSignOutForm(paths: LoginPaths, returnTo: string): Html {
  return html`<form method="post" action="${paths.logout}">
    ${returnTo !== '' && html`<input type="hidden" name="return_to" value="${returnTo}" />`}
    <button type="submit">Sign out</button>
  </form>`;
}
