/** The page: asks for the server and the token, which stays in memory, and shows what was done there. */
import { manageSso } from './manage-sso.ts';

const form = document.querySelector('form');
const [url, token] = document.querySelectorAll('input');
const output = document.querySelector('output');

function print(line: string): void {
  output?.append(line, '\n');
}

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  manageSso(url?.value ?? '', token?.value ?? '', print)
    .catch((error: unknown) => print(String(error)))
    .finally(() => output?.classList.add('done'));
});
