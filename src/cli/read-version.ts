/** Owns finding our own version, from the sources and from the built package alike. */
import { readFileSync } from 'node:fs';

export function readVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const content: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (isOurs(content)) return content.version;
    } catch (reason) {
      if (!(reason instanceof Error && 'code' in reason && reason.code === 'ENOENT')) throw reason;
    }
  }
  return 'unknown';
}

function isOurs(content: unknown): content is { readonly version: string } {
  return (
    typeof content === 'object' &&
    content !== null &&
    'name' in content &&
    content.name === 'claimgate' &&
    'version' in content &&
    typeof content.version === 'string'
  );
}
