// Owns the server that faults are done to: a process of its own, called as a client would.
import { expect } from 'vitest';

import { callJson } from '../test/support/call-json.ts';
import type { JsonAnswer } from '../test/support/call-json.ts';
import { startProcess } from '../test/support/start-process.ts';
import type { StartedProcess } from '../test/support/start-process.ts';

/** The operator's. */
export const TOKEN = 'operator-token-of-this-test';
const KEYS = `k:${Buffer.alloc(32, 9).toString('base64')}`;

/** Within which a call has failed when it cannot succeed, in milliseconds. */
const MOST_PATIENT = 3000;

export interface ServerUnderTest extends StartedProcess {
  /** The default organization. */
  readonly organizationId: string;
  readonly call: (rpc: string, body: object) => Promise<JsonAnswer>;
  /** Every answer is 200, or 503 with a hint when to try again, and comes in time. */
  readonly callInTime: (rpc: string, body: object) => Promise<JsonAnswer>;
  /** The status of `/readyz`, which comes in time. */
  readonly readReadiness: () => Promise<number>;
}

/** The same keys and token each time, so that one server follows another on a database. */
export function describeEnvironment(databaseUrl: string): Record<string, string> {
  return {
    CLAIMGATE_DATABASE_URL: databaseUrl,
    CLAIMGATE_ENCRYPTION_KEYS: KEYS,
    CLAIMGATE_BOOTSTRAP_TOKEN: TOKEN,
    CLAIMGATE_LOG_LEVEL: 'silent',
  };
}

export function callAsOperator(url: string, rpc: string, body: object): Promise<JsonAnswer> {
  return callJson(url, rpc, body, { token: TOKEN });
}

export async function startServerUnderTest(databaseUrl: string): Promise<ServerUnderTest> {
  const started = await startProcess(describeEnvironment(databaseUrl));
  const call: ServerUnderTest['call'] = (rpc, body) => callAsOperator(started.url, rpc, body);
  const { body } = await call('IdentityService/GetAuthenticatedIdentity', {});
  return {
    ...started,
    organizationId: String(body['organizationId']),
    call,
    async callInTime(rpc, body) {
      const answer = await timeIn(() => call(rpc, body));
      if (answer.status !== 200) expectUnavailable(answer);
      return answer;
    },
    async readReadiness() {
      const { status } = await timeIn(() => fetch(`${started.url}/readyz`));
      return status;
    },
  };
}

export function expectUnavailable({ status, body, headers }: JsonAnswer): void {
  expect([status, body['code']]).toEqual([503, 'unavailable']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(headers.get('x-should-retry')).toBeNull();
}

async function timeIn<Result>(doing: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const result = await doing();
  expect(performance.now() - startedAt).toBeLessThan(MOST_PATIENT);
  return result;
}
