/**
 * Owns the completeness of package-lock.json. Packages with a binary for each platform name all of them as optional
 * dependencies. Where npm cannot see one, because a mirror does not carry it, it leaves it out of the lock, and
 * `npm ci` then refuses the lock everywhere. This puts a plain entry in its place: npm looks the rest up when it
 * installs on such a platform.
 *
 *     node scripts/complete-lock.ts           completes the lock
 *     node scripts/complete-lock.ts --check   fails when something is missing
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, stdout } from 'node:process';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const FILE = join(import.meta.dirname, '..', 'package-lock.json');
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS: readonly (readonly [part: string, cpu: string])[] = [
  ['arm64', 'arm64'],
  ['aarch64', 'arm64'],
  ['arm', 'arm'],
  ['x64', 'x64'],
  ['ia32', 'ia32'],
  ['ppc64', 'ppc64'],
  ['riscv64', 'riscv64'],
  ['s390x', 's390x'],
];

const lock: LockFile = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = listMissing(lock);
if (missing.length === 0) {
  stdout.write('package-lock.json names every optional package.\n');
} else if (argv.includes('--check')) {
  const names = missing.map(([path]) => `  ${path}\n`).join('');
  stdout.write(`package-lock.json lacks:\n${names}Run "node scripts/complete-lock.ts".\n`);
  exit(1);
} else {
  const { '': root, ...others } = { ...lock.packages, ...Object.fromEntries(missing) };
  const sorted = Object.entries(others).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const packages = { '': root, ...Object.fromEntries(sorted) };
  writeFileSync(FILE, `${JSON.stringify({ ...lock, packages }, undefined, 2)}\n`);
  stdout.write(`Added ${missing.length} packages.\n`);
}

function listMissing({ packages }: LockFile): readonly (readonly [string, object])[] {
  return Object.entries(packages).flatMap(([path, { dev, optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name, version]) => !isThere(packages, path, name, version))
      .map(([name, version]) => {
        const atTop = `node_modules/${name}`;
        // Another package has another version of it there.
        const place = atTop in packages ? `${path}/node_modules/${name}` : atTop;
        return [place, describe(name, version, dev === true)] as const;
      }),
  );
}

/** Where Node would find it, from the inside out, and of that version unless a range is asked for. */
function isThere(
  packages: LockFile['packages'],
  path: string,
  name: string,
  version: string,
): boolean {
  const parents = path.split('/node_modules/').map((_, index, parts) => parts.slice(0, index + 1));
  const places = parents
    .toReversed()
    .map((parts) => `${parts.join('/node_modules/')}/node_modules/${name}`);
  const found = [...places, `node_modules/${name}`].find((place) => place in packages);
  if (found === undefined) return false;
  return !/^\d/.test(version) || packages[found]?.version === version;
}

function describe(name: string, version: string, dev: boolean): object {
  const [, , cpu] =
    PROCESSORS.map(([part, cpu]) => [name.includes(part), part, cpu] as const).find(
      ([fits]) => fits,
    ) ?? [];
  const os = SYSTEMS.find((system) => name.includes(system));
  return {
    version,
    ...(cpu !== undefined && { cpu: [cpu] }),
    ...(dev && { dev }),
    ...(os === 'linux' && { libc: [name.includes('musl') ? 'musl' : 'glibc'] }),
    optional: true,
    ...(os !== undefined && { os: [os] }),
  };
}
