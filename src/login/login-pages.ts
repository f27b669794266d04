/** Owns the pages on the way in: the question for the email, the choice, and why it did not work. */
import { MAX_EMAIL_LENGTH } from '../domain/email-domain.ts';
import type { LoginChoice } from '../domain/login-discovery.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import type { LoginPaths } from './login-context.ts';
import type { Page } from './page.ts';
import type { RefusalAdvice } from './refusal-advice.ts';

export interface EmailQuestion {
  readonly paths: LoginPaths;
  readonly email: string;
  /** As it was received; empty for none. */
  readonly returnTo: string;
  /** Why the question is asked again. */
  readonly mistake?: string;
}

export function createEmailPage({ paths, email, returnTo, mistake }: EmailQuestion): Page {
  const isWrong = mistake !== undefined;
  return {
    title: isWrong ? 'Check your email address' : 'Sign in',
    content: html`<h1>Sign in</h1>
      <form method="get" action="${paths.login}">
        ${isWrong && html`<p class="wrong" id="mistake" role="alert">${mistake}</p>`}
        <label for="email">Work email</label>
        <input
          id="email"
          name="email"
          type="email"
          value="${email}"
          required
          maxlength="${MAX_EMAIL_LENGTH}"
          autocomplete="email"
          autocapitalize="none"
          spellcheck="false"
          autofocus${isWrong && html` aria-invalid="true" aria-describedby="mistake"`}
        />
        ${returnTo !== '' && html`<input type="hidden" name="return_to" value="${returnTo}" />`}
        <button type="submit">Continue</button>
      </form>`,
  };
}

export function createChoicePage(
  paths: LoginPaths,
  email: string,
  returnTo: string,
  choices: readonly LoginChoice[],
): Page {
  return {
    title: 'Choose how to sign in',
    content: html`<h1>Choose how to sign in</h1>
      <p>There are several ways in for <bdi>${email}</bdi>.</p>
      <ul>
        ${choices.map(
          ({ label, loginUrl }) =>
            html`<li>
              <a class="button" href="${loginUrl}"><bdi>${label}</bdi></a>
            </li> `,
        )}
      </ul>
      <p class="note"><a href="${createAgainPath(paths, returnTo)}">Use another email</a></p>`,
  };
}

/** A login that was refused. The id is what the person can name to an admin, where there is a record for it to find. */
export function createRefusalPage(
  paths: LoginPaths,
  advice: RefusalAdvice,
  attemptId: string | undefined,
  returnTo: string,
): Page {
  return {
    title: advice.heading,
    content: html`<h1>${advice.heading}</h1>
      <p>${advice.explanation}</p>
      <p>${advice.whatToDo}</p>
      ${
        attemptId !== undefined &&
        html`<p>The admin can see why under this login attempt:<br /><code>${attemptId}</code></p>`
      }
      ${createAgainLink(paths, returnTo)}`,
  };
}

/** Somebody is signed in, and a link on another site leads into another organization. */
export function createSwitchPage(
  paths: LoginPaths,
  login: { readonly name: string; readonly label: string; readonly loginUrl: string },
): Page {
  return {
    title: 'Sign in to another organization?',
    content: html`<h1>Sign in to another organization?</h1>
      <p>
        You are signed in as ${login.name}. A link on another site asks to sign you in with
        ${login.label}, which belongs to another organization, and to end this session.
      </p>
      <p><a class="button" href="${login.loginUrl}">Go on with ${login.label}</a></p>
      <p class="note"><a href="${paths.home}">Stay signed in as ${login.name}</a></p>`,
  };
}

/** Something else than a login went wrong. */
export function createMessagePage(
  paths: LoginPaths,
  message: { readonly heading: string; readonly text: string; readonly returnTo?: string },
): Page {
  return {
    title: message.heading,
    content: html`<h1>${message.heading}</h1>
      <p>${message.text}</p>
      ${createAgainLink(paths, message.returnTo ?? '')}`,
  };
}

/** A page without a way on: nobody can sign in at all. */
export function createUnavailablePage(heading: string, text: string): Page {
  return {
    title: heading,
    content: html`<h1>${heading}</h1>
      <p>${text}</p>`,
  };
}

function createAgainLink(paths: LoginPaths, returnTo: string): Html {
  return html`<p><a class="button" href="${createAgainPath(paths, returnTo)}">Begin again</a></p>`;
}

function createAgainPath(paths: LoginPaths, returnTo: string): string {
  return returnTo === ''
    ? paths.login
    : `${paths.login}?${new URLSearchParams({ return_to: returnTo })}`;
}
