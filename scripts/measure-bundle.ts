/**
 * Owns the size of what a browser is sent of the client: bundles a page that makes one call, as a bundler does for
 * production, and compresses it as servers do. It refuses to judge the sizes.
 */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

export interface BundleSize {
  /** In bytes, minified. */
  readonly plain: number;
  readonly gzip: number;
  readonly brotli: number;
}

/** A page of somebody who has installed the package. */
const PAGE = `
  import { createClaimgateClient } from 'claimgate/client';
  const client = createClaimgateClient({ baseUrl: '/' });
  const { organizationId } = await client.identity.getAuthenticatedIdentity({});
  document.body.textContent = organizationId;
`;
const ENTRY = '\0page';

/** @param folder where `claimgate` can be resolved from: one with the package installed, or the project's own when built */
export async function measureBundle(folder: string): Promise<BundleSize> {
  const bundle = await rolldown({
    cwd: folder,
    input: ENTRY,
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === ENTRY ? ENTRY : undefined),
        load: (id) => (id === ENTRY ? PAGE : undefined),
      },
    ],
    resolve: { conditionNames: ['browser', 'import', 'default'] },
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  try {
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    const code = Buffer.from(output.map((chunk) => ('code' in chunk ? chunk.code : '')).join(''));
    return {
      plain: code.byteLength,
      gzip: gzipSync(code, { level: 9 }).byteLength,
      brotli: brotliCompressSync(code).byteLength,
    };
  } finally {
    await bundle.close();
  }
}
