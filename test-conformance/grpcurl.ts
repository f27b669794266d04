/**
 * Owns trying the server with the tool that most people know gRPC by, grpcurl: with nothing but its address it lists,
 * describes and calls. It refuses to own what else is said of reflection and health (`test/rpc`).
 */
import { deepStrictEqual, ok } from 'node:assert';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { startClaimgate } from '../test/support/start-claimgate.ts';
import { installGoTool, print } from './go-tool.ts';

const grpcurl = installGoTool('github.com/fullstorydev/grpcurl/cmd/grpcurl', 'v1.9.4');
const claimgate = await startClaimgate();
const { host } = new URL(claimgate.url);

/** The standard output; rejects where the program fails. */
async function call(...args: string[]): Promise<string> {
  // Asynchronous, since the server is in this process.
  return (await promisify(execFile)(grpcurl, ['-plaintext', ...args])).stdout;
}

try {
  const services = (await call(host, 'list')).trim().split('\n');
  ok(services.includes('gitpod.v1.OrganizationService'));
  ok(services.includes('claimgate.v1.MemberService'));
  for (const service of services) {
    const methods = (await call(host, 'list', service)).trim().split('\n');
    for (const method of methods) {
      ok((await call(host, 'describe', method)).includes('is a method'), method);
    }
  }
  const token = `authorization: Bearer ${claimgate.token}`;
  const identity = await call(
    '-H',
    token,
    host,
    'gitpod.v1.IdentityService/GetAuthenticatedIdentity',
  );
  deepStrictEqual(JSON.parse(identity).organizationId, claimgate.organizationId);
  const health = await call(host, 'grpc.health.v1.Health/Check');
  deepStrictEqual(JSON.parse(health), { status: 'SERVING' });
  print(`grpcurl: ${services.length} services listed, their methods described, and called.`);
} finally {
  await claimgate.stop();
}
