/** Owns the sign-in page of the demo identity provider: one field, two buttons, no script. */
import type { Person } from './start-oidc-provider.ts';

/**
 * The whole document.
 *
 * @param account what the field holds at first
 */
export function renderSignInPage(
  people: Readonly<Record<string, Person>>,
  account: string,
  error: string | undefined,
): string {
  const list = Object.entries(people)
    .map(([name, person]) => `<li><b>${escapeHtml(name)}</b> ${describePerson(person)}</li>`)
    .join('\n');
  const alert = error === undefined ? '' : `<p role="alert">${escapeHtml(error)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Demo identity provider: sign in</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 28rem; margin: 3rem auto; padding: 0 1rem; }
label, input { display: block; }
input, button { font: inherit; margin: 0.25rem 0.5rem 0.75rem 0; }
input { width: 100%; box-sizing: border-box; padding: 0.5rem; }
button { padding: 0.5rem 1rem; }
ul { padding-left: 1.25rem; }
[role="alert"] { font-weight: bold; }
</style>
</head>
<body>
<main>
<h1>Demo identity provider</h1>
${alert}
<form method="post">
<label for="account">Name</label>
<input id="account" name="account" value="${escapeHtml(account)}" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus>
<button type="submit">Sign in</button>
<button type="submit" name="cancel" value="1">Cancel</button>
</form>
<p>It needs no password, and says of its people:</p>
<ul>
${list}
</ul>
</main>
</body>
</html>
`;
}

function describePerson({ email, email_verified, groups = [] }: Person): string {
  const parts = [
    email,
    ...(email_verified === undefined ? [] : [email_verified ? 'verified' : 'not verified']),
    ...(groups.length === 0 ? [] : [`groups ${groups.join(', ')}`]),
  ];
  return escapeHtml(parts.join('; '));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
