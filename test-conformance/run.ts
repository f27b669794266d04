/**
 * Owns the run of the official Connect conformance suite against our listener: gets the runner, generates what
 * `server.ts` needs of its schema, runs all cases and prints the counts. It refuses to know what is tested: that is the
 * runner's affair, and `config.yaml`'s.
 */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { env, fail, folder, installGoTool, print, root, run } from './go-tool.ts';

/** Needs Go 1.26. */
const version = 'v1.0.7';
const module = 'connectrpc.com/conformance';

/** Servers at once; the runner sends 8 requests at once. */
const servers = 2;
/** Some 40 s on two cores. The runner waits for ever for some answers that do not come. */
const patienceMs = 5 * 60 * 1000;

const runner = installGoTool(`${module}/cmd/connectconformance`, version);
generate();
checkTypes();
process.exitCode = await runCases();

/** From the module's own source, so that schema and runner are of one version. */
function generate(): void {
  const described = run('go', ['mod', 'download', '-json', `${module}@${version}`]);
  if (described === undefined) fail(`The source of ${module} could not be had.`);
  const source = JSON.parse(described) as { readonly Dir: string };
  const template = {
    version: 'v2',
    clean: true,
    plugins: [
      {
        local: 'protoc-gen-es',
        out: join(folder, 'gen'),
        opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
      },
    ],
  };
  const args = ['generate', join(source.Dir, 'proto'), '--template', JSON.stringify(template)];
  if (run('buf', args) === undefined) fail('The schema of the suite could not be generated from.');
}

/** Here and not with the other checks, which run without the generated files. */
function checkTypes(): void {
  const { status } = spawnSync('tsc', ['--noEmit', '-p', import.meta.dirname], {
    env,
    stdio: 'inherit',
  });
  if (status !== 0) fail('The types do not fit.');
}

async function runCases(): Promise<number> {
  const server = ['--disable-warning=ExperimentalWarning', join('test-conformance', 'server.ts')];
  const args = ['--mode', 'server', '--conf', join('test-conformance', 'config.yaml'), '-v'];
  const child = spawn(
    runner,
    [...args, '--max-servers', String(servers), '--', process.execPath, ...server],
    // In a group of its own, so that the servers that it starts end with it.
    { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The whole group has ended.
    }
  };
  const end = () => {
    kill();
    process.exit(1);
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  const timer = setTimeout(() => {
    print(`Not done after ${patienceMs / 1000} s.`);
    kill();
  }, patienceMs);

  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    process.stdout.write(chunk);
  });
  const code = await new Promise<number>((resolve) => {
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  clearTimeout(timer);
  return report(output, code);
}

/** Prints the counts and leaves them in a file for who writes them elsewhere. */
function report(output: string, code: number): number {
  const [, total, passed, failed] =
    /Total cases: (\d+)\n(\d+) passed, (\d+) failed/u.exec(output) ?? [];
  if (total === undefined) {
    print('The runner gave no counts.');
    return 1;
  }
  const counts = {
    runner: version,
    cases: Number(total),
    passed: Number(passed),
    failed: Number(failed),
    protocols: countByProtocol(output),
  };
  writeFileSync(join(folder, 'counts.json'), `${JSON.stringify(counts)}\n`);
  print(`Connect conformance ${version}: ${passed} of ${total} cases pass.`);
  return code;
}

/** Cases of each protocol, from what the runner says of each server that it starts. */
function countByProtocol(output: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [, cases, protocol = ''] of output.matchAll(
    /^Running (\d+) tests .*PROTOCOL_(\w+)/gmu,
  )) {
    counts[protocol] = (counts[protocol] ?? 0) + Number(cases);
  }
  return counts;
}
