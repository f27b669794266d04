/**
 * Owns the question whether the proto files still serve the callers of the last release: compares
 * them with the newest release tag, or with HEAD while there is none.
 *
 * buf alone cannot compare with a git reference here, because the rules' module is never committed.
 * So the older files are laid out in a temporary folder and that module is written beside them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeValidateProto } from './write-validate-proto.ts';

/** What was compared, and what breaks: one line for each finding, none when all is well. */
export interface BreakingReport {
  readonly ref: string;
  readonly findings: readonly string[];
}

/** Compares the proto files below `root` with the newest release that git knows there. */
export function checkBreaking(root: string): BreakingReport {
  const ref = findNewestRelease(root) ?? 'HEAD';
  const older = mkdtempSync(join(tmpdir(), 'claimgate-breaking-'));
  try {
    const archive = execFileSync('git', ['archive', '--format=tar', ref, 'buf.yaml', 'proto'], {
      cwd: root,
      maxBuffer: 2 ** 28,
    });
    execFileSync('tar', ['-xf', '-'], { cwd: older, input: archive });
    writeValidateProto(older);
    writeValidateProto(root);
    return { ref, findings: runBuf(['breaking', root, '--against', older], root) };
  } finally {
    rmSync(older, { recursive: true, force: true });
  }
}

function findNewestRelease(root: string): string | undefined {
  const list = ['tag', '--list', 'v*', '--merged', 'HEAD', '--sort=-version:refname'];
  return execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\n').find(Boolean);
}

/** buf exits with 100 for findings, which it writes to stdout, and with others when it could not compare. */
function runBuf(args: readonly string[], cwd: string): string[] {
  const buf = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');
  const { status, stdout, stderr } = spawnSync(process.execPath, [buf, ...args], {
    cwd,
    encoding: 'utf8',
  });
  if (status === 0) return [];
  if (status === 100) return stdout.split('\n').filter(Boolean);
  throw new Error(`buf ${args[0]} failed: ${stderr || stdout}`);
}

if (import.meta.main) {
  const { ref, findings } = checkBreaking(join(import.meta.dirname, '..'));
  for (const finding of findings) process.stdout.write(`${finding}\n`);
  process.stdout.write(`${findings.length} breaking changes since ${ref}\n`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
