/** Owns the measurement of a preview: a new rule tried on 1,000 kept login attempts, through the RPC that the console calls. */
import { join } from 'node:path';
import { loadavg } from 'node:os';
import { v7 as newId } from 'uuid';

import type { LoginAttempt } from '../src/domain/login-attempt.ts';
import { loadOrCreateKeyFile } from '../src/store/key-file.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { createConfiguration, startClaimgate } from './claimgate-process.ts';
import type { ClaimgateProcess } from './claimgate-process.ts';
import { openJsonCaller } from './json-caller.ts';
import { formatNumber, judgeAtMost, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, findQuantile } from './statistics.ts';

export const preview: Measurement = {
  name: 'preview',
  summary: 'a new rule tried on 1,000 kept login attempts',
  run: measurePreview,
};

const ATTEMPTS = 1_000;
/** An organization may ask for 60 a minute. */
const ROUNDS = 40;
const QUICK_ROUNDS = 20;
const LIMIT_MS = 300;
const SERVICE = 'claimgate.v1.SSOConfigurationService';

const RULES: readonly { readonly name: string; readonly claimsExpression: string }[] = [
  {
    name: 'shuts out every fourth person',
    claimsExpression:
      'claims.email_verified && claims.email.endsWith("@acme.example") && "engineering" in claims.groups',
  },
];

async function measurePreview(context: BenchContext) {
  const { machine, note, quick } = context;
  const folder = makeScratchFolder(context.folder);
  const env = { CLAIMGATE_LOGIN_ATTEMPT_CLAIMS: String(ATTEMPTS) };
  const claimgate = await startClaimgate(machine, { folder, env });
  const caller = openJsonCaller(claimgate.port, SERVICE);
  try {
    const ssoConfigurationId = await createConfiguration(claimgate);
    await insertAttempts(folder, claimgate, ssoConfigurationId);
    const rounds = quick ? QUICK_ROUNDS : ROUNDS;
    const rows: string[][] = [];
    const verdicts = [];
    for (const { name, claimsExpression } of RULES) {
      const times: number[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        const request = { ssoConfigurationId, claimsExpression };
        const { microseconds, text } = await caller.time('PreviewClaimsExpression', request);
        checkAnswer(text);
        // The first warms up.
        if (round > 0) times.push(microseconds / 1000);
      }
      const [median, p99] = [findMedian(times), findQuantile(times, 0.99)];
      note(`preview: ${name}: median ${formatNumber(median)} ms, p99 ${formatNumber(p99)} ms`);
      rows.push([name, formatNumber(median), formatNumber(p99), (loadavg()[0] ?? 0).toFixed(1)]);
      const what = `preview on ${formatNumber(ATTEMPTS)} attempts`;
      verdicts.push(
        judgeAtMost({ what: `${what}, median`, value: median, unit: ' ms' }, LIMIT_MS),
        judgeAtMost({ what: `${what}, p99`, value: p99, unit: ' ms' }, LIMIT_MS),
      );
    }
    return {
      title: 'A rule previewed',
      verdicts,
      text: `PreviewClaimsExpression over HTTP/1.1 JSON, one call after the other, ${rounds} of each: it reads the claims of ${formatNumber(ATTEMPTS)}
login attempts, each of another person, decrypts them, asks the stored rule and the new one about each, and explains the first
100 of those for whom there is a difference.

${writeTable(['a rule that', 'median, ms', 'p99, ms', 'load average'], rows)}`,
    };
  } finally {
    caller.close();
    await claimgate.stop();
    removeScratchFolder(folder);
  }
}

/** As so many logins leave them. */
async function insertAttempts(
  folder: string,
  { organizationId }: ClaimgateProcess,
  ssoConfigurationId: string,
): Promise<void> {
  const store = await openSqliteStore({
    file: join(folder, 'claimgate.db'),
    keyring: await loadOrCreateKeyFile(join(folder, 'claimgate.key')),
  });
  try {
    const retention = { claimsPerConfiguration: ATTEMPTS, maxAgeMs: 86_400_000 };
    const now = Date.now();
    await store.transaction(async (tx) => {
      for (let index = 0; index < ATTEMPTS; index += 1) {
        const attempt: LoginAttempt = {
          id: newId(),
          organizationId,
          ssoConfigurationId,
          revision: 1,
          outcome: 'admitted',
          stage: 'session',
          reason: undefined,
          detail: '',
          maskedEmail: 'p***@acme.example',
          address: '192.0.2.7',
          at: new Date(now - (ATTEMPTS - index) * 1000),
        };
        await tx.insertLoginAttempt(attempt, createClaims(index), retention);
      }
    });
  } finally {
    await store.close();
  }
}

/** As an identity provider's ID token and userinfo hold them together; every fourth person is of another group. */
function createClaims(index: number): Readonly<Record<string, unknown>> {
  return {
    iss: 'https://login.acme.example/oauth2/default',
    sub: `00u${index.toString().padStart(17, '0')}`,
    aud: '0oa8k2v7wqXyZ4nB5d7',
    iat: 1_700_000_000 + index,
    exp: 1_700_003_600 + index,
    auth_time: 1_700_000_000 + index,
    nonce: `n-${index.toString().padStart(41, '0')}`,
    email: `person-${index}@acme.example`,
    email_verified: true,
    name: `Person Number ${index}`,
    preferred_username: `person-${index}`,
    picture: `https://login.acme.example/pictures/${index}.png`,
    locale: 'en-GB',
    groups: ['everyone', index % 4 === 0 ? 'sales' : 'engineering', 'on-call', 'berlin'],
  };
}

function checkAnswer(text: string): void {
  const { people, shutOutCount, complete }: Readonly<Record<string, unknown>> = JSON.parse(text);
  if (people !== ATTEMPTS || shutOutCount !== ATTEMPTS / 4 || complete !== true)
    throw new Error(`the preview is another than it must be: ${text.slice(0, 200)}`);
}
