/**
 * Owns how the pages look. The one style sheet, inline, because it is small and a login page that waits for nothing
 * is there at once.
 */

/** Colours keep a contrast of 4.5:1 for text and 3:1 for controls, in light and dark (WCAG 2.2 §1.4.3, §1.4.11). */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #f4f5f7; --card: #fff;
  --line: #7d8590; --accent: #0b57d0; --on-accent: #fff; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a9b1ba; --paper: #111418;
  --card: #1a1e24; --line: #7d8590; --accent: #8ab4f8; --on-accent: #0a1930; --wrong: #f2b8b5; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 1rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 2rem 1.5rem; background: var(--card);
  border-radius: .75rem; box-shadow: 0 1px 4px rgb(0 0 0 / .2); overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1.125rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
dl { margin: 0 0 1rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
form { margin: 0; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input { width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: .5rem; }
input[aria-invalid] { border-color: var(--wrong); }
button, .button { display: block; width: 100%; min-height: 2.75rem; margin-top: 1rem; padding: .6rem 1rem;
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: .5rem; }
button:hover, .button:hover { text-decoration: underline; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ul { margin: 0 0 1.25rem; padding: 0; list-style: none; }
code { font: .9em ui-monospace, monospace; user-select: all; }
.note { color: var(--soft); font-size: .875rem; }
.wrong { color: var(--wrong); font-weight: 600; }
main > :last-child { margin-bottom: 0; }
`;
