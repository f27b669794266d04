import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

/** All that a module imports, directly and through our own modules: paths of ours, and names of packages. */
async function collectImports(entry: URL, seen = new Set<string>()): Promise<Set<string>> {
  const source = await readFile(entry, 'utf8');
  for (const [, specifier = ''] of source.matchAll(
    /^(?:import|export)\b[^;]*?from ['"]([^'"]+)['"]/gm,
  )) {
    const name = specifier.startsWith('.') ? new URL(specifier, entry).href : specifier;
    if (seen.has(name)) continue;
    seen.add(name);
    if (specifier.startsWith('.')) await collectImports(new URL(name), seen);
  }
  return seen;
}

test('The client for browsers imports nothing of Node and none of the server', async () => {
  const imports = await collectImports(new URL('../../src/client/browser.ts', import.meta.url));
  const packages = [...imports].filter((name) => !name.startsWith('file:'));
  expect(packages.toSorted()).toEqual([
    '@bufbuild/protobuf',
    '@bufbuild/protobuf/codegenv2',
    '@bufbuild/protobuf/wkt',
    '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js',
    '@connectrpc/connect',
    '@connectrpc/connect-web',
  ]);
  const modules = [...imports].filter((name) => name.startsWith('file:'));
  expect(modules.length).toBeGreaterThan(10);
  expect(modules.filter((name) => !/\/(?:gen|src\/client)\//.test(name))).toEqual([]);
});
