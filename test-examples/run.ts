/**
 * Owns the run of the clients in other languages: executes the commands that docs/clients.md gives for each, against a
 * real server of its own, and compares what they print. It refuses to know how a language is generated or built.
 *
 *     npm run test:examples                 all of them
 *     npm run test:examples -- go python    some
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readDocument } from '../test/docs/read-examples.ts';
import { startClaimgate } from '../test/support/start-claimgate.ts';
import { LANGUAGES } from './languages.ts';
import type { Language } from './languages.ts';
import { readBlock } from './read-block.ts';
import { ROOT, runCommands } from './run-commands.ts';
import { servePage } from './run-page.ts';
import { startGateway } from './start-gateway.ts';

/** Languages that run at once: compilers want a processor each. */
const AT_ONCE = 2;
/** Ignored by Git. */
const FOLDER = join(ROOT, '.generate', 'examples');

interface Result {
  readonly language: Language;
  readonly seconds: number;
  /** `undefined` where it did what it should. */
  readonly failure: string | undefined;
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const chosen = chooseLanguages(process.argv.slice(2));
checkTools(chosen);
const clients = await readDocument('docs/clients.md');
await runCommands(readBlock(clients, 'The schema', 'bash'));
const results = await runAll(chosen);
report(results);

function chooseLanguages(names: readonly string[]): readonly Language[] {
  const known = LANGUAGES.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) fail(`There is no ${unknown.join(', ')} among ${known.join(', ')}.`);
  return names.length === 0 ? LANGUAGES : LANGUAGES.filter(({ name }) => names.includes(name));
}

/** All that is missing at once, before anything is built. */
function checkTools(languages: readonly Language[]): void {
  const missing = languages
    .flatMap(({ heading, needs }) => needs.map((need) => [heading, ...need] as const))
    .filter(([, command]) => spawnSync('bash', ['-c', `command -v ${command}`]).status !== 0)
    .map(([heading, command, advice]) => `${heading} needs \`${command}\`: install ${advice}.`);
  if (missing.length > 0) fail(missing.join('\n'));
}

async function runAll(languages: readonly Language[]): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = [...languages];
  const work = async () => {
    for (let language = waiting.shift(); language !== undefined; language = waiting.shift()) {
      const startedAt = performance.now();
      const failure = await tryLanguage(language).catch(String);
      const seconds = (performance.now() - startedAt) / 1000;
      results.push({ language, seconds, failure });
      const verdict = failure === undefined ? 'as expected' : `FAILED\n${failure}`;
      print(`${language.name}: ${verdict}, ${seconds.toFixed(1)} s`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return languages.flatMap((language) => results.filter((each) => each.language === language));
}

/** Resolves to what went wrong. */
async function tryLanguage(language: Language): Promise<string | undefined> {
  const { name, heading } = language;
  const page = name === 'browser' ? await servePage() : undefined;
  const server = await startClaimgate({ CLAIMGATE_ALLOWED_ORIGINS: page?.origin ?? '' });
  const gateway = await startGateway(server.url);
  try {
    const url = language.callsOnce ? server.url : gateway.url;
    const environment = { CLAIMGATE_URL: url, CLAIMGATE_TOKEN: server.token };
    const built = await runCommands(readBlock(clients, heading, 'bash'), environment);
    const printed = page === undefined ? built : await page.run(environment);
    const expected = readExpected(language);
    if (printed !== expected) return `It should print\n${expected}\nand prints\n${printed}`;
    if (language.callsOnce || gateway.hasCut()) return undefined;
    return 'It never lost its connection, so nothing was repeated.';
  } finally {
    await gateway.stop();
    await server.stop();
    await page?.stop();
  }
}

function readExpected({ heading, expected }: Language): string {
  if (expected === undefined) return readBlock(clients, heading, 'text');
  return readFileSync(join(ROOT, expected), 'utf8');
}

/** Prints the table, and leaves it in a file for who writes it elsewhere. */
function report(results: readonly Result[]): void {
  print('');
  for (const { language, seconds, failure } of results) {
    const verdict = failure === undefined ? 'passed' : 'FAILED';
    print(
      `${language.heading.padEnd(24)}${language.client.padEnd(30)}${verdict}${seconds.toFixed(1).padStart(8)} s`,
    );
  }
  const passed = results.filter(({ failure }) => failure === undefined);
  if (passed.length < results.length) fail(`${results.length - passed.length} failed.`);
  // Of some of them there is no table.
  if (passed.length < LANGUAGES.length) return;
  mkdirSync(FOLDER, { recursive: true });
  const table = passed.map(({ language: { name, heading, client } }) => ({
    name,
    heading,
    client,
  }));
  writeFileSync(join(FOLDER, 'counts.json'), `${JSON.stringify(table, undefined, 2)}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(reason: string): never {
  process.stderr.write(`test:examples: ${reason}\n`);
  process.exit(1);
}
