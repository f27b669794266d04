/**
 * Owns looking outwards: whether DNS servers answer, and whether the identity providers of stored configurations do, as
 * `CheckSSOConfiguration` looks at them and by the same guarded requests. No client secret is sent.
 */
import { getServers } from 'node:dns';

import type { Config } from '../config.ts';
import { createDnsResolver } from '../dns/dns-resolver.ts';
import type { CheckStage } from '../domain/configuration-checker.ts';
import { createRedirectUri } from '../domain/redirect-uri.ts';
import { createConfigurationChecker } from '../oidc/configuration-checker.ts';
import { createGuardedFetch } from '../oidc/guarded-fetch.ts';
import type { GuardedFetch } from '../oidc/guarded-fetch.ts';
import type { PlainDatabase } from '../store/plain-database.ts';
import { readNumber } from '../store/plain-database.ts';
import { fail, judgeClock, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';

/** Whether there is such a record does not matter. */
const ASKED_NAME = '_claimgate-challenge.example.com';

/** Issuers at a time. */
const AT_ONCE = 4;

export async function checkDns({ dnsServers }: Config): Promise<readonly Finding[]> {
  const servers = dnsServers ?? getServers();
  if (servers.length === 0) {
    return [fail('DNS', 'The system names no DNS server.', 'Set CLAIMGATE_DNS_SERVERS.')];
  }
  return Promise.all(servers.map(checkDnsServer));
}

async function checkDnsServer(server: string): Promise<Finding> {
  const startedAt = performance.now();
  try {
    await createDnsResolver({ servers: [server] }).resolveTxt(ASKED_NAME);
    return ok('DNS', `${server} answers within ${Math.ceil(performance.now() - startedAt)} ms.`);
  } catch {
    return fail(
      'DNS',
      `${server} does not answer.`,
      'Email domains are proved by DNS: let this machine reach it, or set CLAIMGATE_DNS_SERVERS to others.',
    );
  }
}

export interface IssuerChecks {
  /** How many, those with the most configurations first. */
  readonly limit: number;
  readonly report: (...findings: readonly Finding[]) => void;
}

export async function checkIssuers(
  config: Config,
  store: PlainDatabase,
  { limit, report }: IssuerChecks,
): Promise<void> {
  const active = `from sso_configuration where state = 'active'`;
  const count = await readNumber(store, `select count(distinct issuer_url) as count ${active}`);
  const rows = await store.all(
    `select issuer_url, count(*) as configurations ${active} group by issuer_url order by configurations desc, issuer_url limit ?`,
    [limit],
  );
  const guarded = createGuardedFetch({
    allowHttp: config.allowHttpIssuers,
    allowPrivate: config.allowPrivateIssuers,
  });
  try {
    const waiting = rows.map((row) => String(row['issuer_url']));
    const work = async (): Promise<void> => {
      for (let issuer = waiting.shift(); issuer !== undefined; issuer = waiting.shift()) {
        report(...(await checkIssuer(config, guarded, issuer)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    guarded.close();
  }
  if (count === 0) report(ok('issuers', 'There are no active configurations.'));
  if (count > rows.length) {
    report(
      ok(
        'issuers',
        `${rows.length} of ${count} issuers were asked, those with the most configurations; --issuers asks more.`,
      ),
    );
  }
}

async function checkIssuer(
  config: Config,
  guarded: GuardedFetch,
  issuerUrl: string,
): Promise<readonly Finding[]> {
  const offsets: number[] = [];
  const checker = createConfigurationChecker({
    guarded: watchDates(guarded, (offset) => offsets.push(offset)),
    now: () => new Date(),
  });
  const stages = await checker.check({
    issuerUrl,
    clientId: 'claimgate-doctor',
    clientSecret: undefined,
    scopes: [],
    claims: [],
    redirectUri: createRedirectUri(config.publicUrl ?? 'https://localhost', 'doctor'),
    wrongCode: '',
  });
  const check = `issuer ${issuerUrl}`;
  const [offset] = offsets;
  return [
    judgeStages(check, stages),
    ...(offset === undefined ? [] : [judgeClock(check, offset, 'the identity provider')]),
  ];
}

/** What belongs to a registration, and not to the issuer, is for `claimgate sso check`. */
const OF_REGISTRATIONS: ReadonlySet<string> = new Set([
  'client_authentication',
  'redirect_uri',
  'scopes',
  'claims',
]);

function judgeStages(check: string, all: readonly CheckStage[]): Finding {
  const stages = all.filter(({ name }) => !OF_REGISTRATIONS.has(name));
  const found =
    stages.find(({ outcome }) => outcome === 'failed') ??
    stages.find(({ outcome }) => outcome === 'warned');
  if (found === undefined) {
    return ok(check, 'Discovery, keys and endpoints are as logins need them.');
  }
  const judge = found.outcome === 'failed' ? fail : warn;
  return judge(check, `${found.name}: ${found.seen}`, found.advice);
}

/** The Date header (RFC 9110 §6.6.1) has whole seconds: half of one is added. */
function watchDates(guarded: GuardedFetch, note: (offsetMs: number) => void): GuardedFetch {
  return {
    ...guarded,
    async fetch(url, request) {
      const sentAt = Date.now();
      const response = await guarded.fetch(url, request);
      const at = Date.parse(response.headers.get('date') ?? '');
      if (!Number.isNaN(at)) note(at + 500 - (sentAt + Date.now()) / 2);
      return response;
    },
  };
}
