/** Owns the sign-in page of the test identity provider: one field, two buttons, no script. */

/** The whole document. */
export function renderSignInPage(
  names: readonly string[],
  account: string,
  error: string | undefined,
): string {
  const list = names.map((name) => `<code>${escapeHtml(name)}</code>`).join(', ');
  const alert = error === undefined ? '' : `<p role="alert">${escapeHtml(error)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Test identity provider: sign in</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 28rem; margin: 4rem auto; padding: 0 1rem; }
label, input, button { font: inherit; display: block; margin-top: 0.75rem; }
input { width: 100%; box-sizing: border-box; padding: 0.5rem; }
button { padding: 0.5rem 1rem; }
[role="alert"] { color: #b00020; }
</style>
</head>
<body>
<main>
<h1>Test identity provider</h1>
<p>It believes every name: ${list}.</p>
${alert}
<form method="post">
<label for="account">Name</label>
<input id="account" name="account" value="${escapeHtml(account)}" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus>
<button type="submit">Sign in</button>
<button type="submit" name="cancel" value="1">Cancel</button>
</form>
</main>
</body>
</html>
`;
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
