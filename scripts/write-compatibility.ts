/**
 * Owns the compatibility table of the README: writes it from what the suites counted when they last ran, so that no
 * figure is typed by hand. It refuses to run them.
 *
 *     npm run compatibility              writes the table
 *     npm run compatibility -- --check   fails where the README says something else
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, stdout } from 'node:process';

type Row = readonly [what: string, triedWith: string, result: string];

interface Conformance {
  readonly runner: string;
  readonly failed: number;
  readonly protocols: Readonly<Record<string, number>>;
}

interface Language {
  readonly heading: string;
  readonly client: string;
}

interface OpenApi {
  readonly tool: string;
  readonly operations: number;
  readonly requests: number;
}

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, '..');
const MARKED = /(?<=<!-- compatibility -->\n).*(?=<!-- \/compatibility -->)/s;

const PROTOCOLS: readonly (readonly [key: string, name: string])[] = [
  ['CONNECT', 'Connect'],
  ['GRPC', 'gRPC'],
  ['GRPC_WEB', 'gRPC-Web'],
];

/** What `npm test` tries, from `test/clients` and `test/client`. */
const NPM_CLIENTS: readonly (readonly [what: string, name: string])[] = [
  ['TypeScript, `claimgate/client`', '@connectrpc/connect-node'],
  ['TypeScript, gRPC', '@grpc/grpc-js'],
  ['@gitpod/sdk for TypeScript', '@gitpod/sdk'],
  ['`buf curl`', '@bufbuild/buf'],
];

const readme = readText('README.md');
const table = `\n${printTable([...listConformance(), ...listOpenApi(), ...listLanguages(), ...listNpmClients()])}\n`;
if (readme.match(MARKED)?.[0] === table) {
  stdout.write('The compatibility table of the README is what the suites counted.\n');
} else if (argv.includes('--check')) {
  stdout.write(`The suites counted:\n${table}\nThe README differs: run "npm run compatibility".\n`);
  exit(1);
} else {
  const written = readme.replace(MARKED, () => table);
  writeFileSync(join(ROOT, 'README.md'), written);
  stdout.write(table);
}

function listConformance(): readonly Row[] {
  const { runner, failed, protocols }: Conformance = JSON.parse(readCounts('conformance'));
  if (failed > 0) throw new Error(`${failed} cases of the conformance suite failed.`);
  const suite = `[conformance suite](https://github.com/connectrpc/conformance) ${runner}`;
  return PROTOCOLS.map(([key, name]) => {
    const cases = (protocols[key] ?? 0).toLocaleString('en');
    return [`${name} protocol`, suite, `${cases} cases pass, none is skipped`];
  });
}

/** In thousands: requests depend on answers a little, and so does their number. */
function listOpenApi(): readonly Row[] {
  const { tool, operations, requests }: OpenApi = JSON.parse(readCounts('openapi'));
  const thousands = (Math.floor(requests / 1000) * 1000).toLocaleString('en');
  return [
    [
      'JSON, `/openapi.json`',
      tool,
      `over ${thousands} requests to ${operations} operations: no failing, nothing undocumented`,
    ],
  ];
}

function listLanguages(): readonly Row[] {
  const languages: readonly Language[] = JSON.parse(readCounts('examples'));
  return languages.map(({ heading, client }) => [
    heading,
    client,
    'passes `npm run test:examples`',
  ]);
}

function listNpmClients(): readonly Row[] {
  const { dependencies, devDependencies }: Package = JSON.parse(readText('package.json'));
  const versions = { ...dependencies, ...devDependencies };
  return NPM_CLIENTS.map(([what, name]) => [
    what,
    `${name} ${versions[name] ?? ''}`,
    'passes `npm test`',
  ]);
}

function readCounts(suite: 'conformance' | 'openapi' | 'examples'): string {
  const path = `.generate/${suite}/counts.json`;
  if (!existsSync(join(ROOT, path)))
    throw new Error(`There is no ${path}: run "npm run test:${suite}" first.`);
  return readText(path);
}

function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Padded as the formatter pads it. */
function printTable(rows: readonly Row[]): string {
  const cells: readonly Row[] = [['What', 'Tried with', 'Result'], ...rows];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return [lines[0], rule, ...lines.slice(1)].join('');
}
