/** Owns the list of what is tried: each with its section in docs/clients.md, what has to be installed, and its version. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './run-commands.ts';

export interface Language {
  /** As on the command line. */
  readonly name: string;
  /** Heading of its section in docs/clients.md, whose first `bash` block is run. */
  readonly heading: string;
  /** The commands that it needs, each with what to install where there is none. */
  readonly needs: readonly (readonly [command: string, advice: string])[];
  /** What it is tried with, such as "connect-go 1.21.1". */
  readonly client: string;
  /** File with what it prints, from the project's root; without one, the section's `text` block has it. */
  readonly expected?: string;
  /** Calls once, and is not expected to get over a connection that breaks. */
  readonly callsOnce?: true;
}

const EXPECTED = 'examples/expected.txt';
const GO: Language['needs'] = [['go', 'Go 1.26 or later']];
const PYTHON: Language['needs'] = [['python3', 'Python 3.10 or later, with venv']];

export const LANGUAGES: readonly Language[] = [
  {
    name: 'go',
    heading: 'Go',
    needs: GO,
    client: `connect-go ${readVersion('examples/go/go.mod', /connectrpc\.com\/connect v(\S+)/)}`,
    expected: EXPECTED,
  },
  {
    name: 'python',
    heading: 'Python',
    needs: PYTHON,
    client: `grpcio ${readVersion('examples/python/requirements.txt', /^grpcio==(\S+)/m)}`,
    expected: EXPECTED,
  },
  {
    name: 'java',
    heading: 'Java',
    needs: [
      ['javac', 'a JDK, 17 or later'],
      ['mvn', 'Maven 3.8 or later'],
    ],
    client: `grpc-java ${readVersion('examples/java/pom.xml', /<grpc\.version>(.+)</)}`,
    expected: EXPECTED,
  },
  {
    name: 'rust',
    heading: 'Rust',
    needs: [['cargo', 'Rust 1.88 or later']],
    client: `tonic ${readVersion('examples/rust/Cargo.toml', /^tonic = .*"=([\d.]+)"/m)}`,
    expected: EXPECTED,
  },
  {
    name: 'browser',
    heading: 'Browser',
    needs: [],
    client: `connect-web ${readVersion('examples/browser/package.json', /connect-web": "(.+)"/)}`,
    expected: EXPECTED,
  },
  {
    name: 'gitpod-sdk',
    heading: 'gitpod-sdk for Python',
    needs: PYTHON,
    client: `gitpod-sdk ${readVersion('examples/gitpod-sdk/requirements.txt', /^gitpod-sdk==(\S+)/m)}`,
    expected: 'examples/gitpod-sdk/expected.txt',
  },
  {
    name: 'grpcurl',
    heading: 'grpcurl',
    needs: GO,
    client: `grpcurl ${readVersion('docs/clients.md', /cmd\/grpcurl@v(\S+)/)}`,
    callsOnce: true,
  },
];

function readVersion(path: string, pattern: RegExp): string {
  const [, version] = pattern.exec(readFileSync(join(ROOT, path), 'utf8')) ?? [];
  if (version === undefined) throw new Error(`${path} names no version that ${pattern} finds.`);
  return version;
}
