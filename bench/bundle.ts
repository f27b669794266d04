/** Owns the measurement of what a browser is sent of the client, for a page that makes one call. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { measureBundle } from '../scripts/measure-bundle.ts';
import type { Measurement } from './bench-context.ts';
import { formatNumber, judgeBelow } from './report.ts';

export const bundle: Measurement = {
  name: 'bundle',
  summary: 'size of a page that makes one call by the client',
  run: async () => {
    // What bundlers find is what is published.
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
    if (status !== 0) throw new Error('the package cannot be built');
    const size = await measureBundle(join(import.meta.dirname, '..'));
    const kilobytes = (bytes: number) => `${formatNumber(bytes / 1000)} kB`;
    return {
      title: 'A page that makes one call',
      verdicts: [
        judgeBelow({ what: 'page with one call, gzip', value: size.gzip / 1000, unit: ' kB' }, 60),
      ],
      text: `Bundled with Rolldown from \`claimgate/client\`: ${kilobytes(size.plain)} minified, ${kilobytes(size.gzip)} with
gzip, ${kilobytes(size.brotli)} with brotli.
`,
    };
  },
};
