// AccountService: where an email address signs in, asked by anybody, and therefore limited.
import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { AccountService } from '../../gen/gitpod/v1/account_pb.ts';
import { LOGIN_LIMITS } from '../../src/domain/login-limits.ts';
import { callJson } from '../support/call-json.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal, readRefusals } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { addLoginHome } from './login-home.ts';
import { describeBearer, WIRES } from './transports.ts';
import type { Wire } from './transports.ts';

const PUBLIC_URL = 'https://sso.example.com/gate';
const APP = 'https://app.example.com';
const NONE = 'No single sign-on is set up for this email domain.';

let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  claimgate = await startClaimgate({
    CLAIMGATE_PUBLIC_URL: PUBLIC_URL,
    CLAIMGATE_RETURN_TO_ORIGINS: `${APP},http://localhost:3000`,
    CLAIMGATE_ALLOWED_ORIGINS: 'https://page.example.com',
    CLAIMGATE_TRUSTED_PROXIES: '127.0.0.1',
  });
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

let addresses = 0;

/** One that nobody has called from. */
function describeStranger(): Readonly<Record<string, string>> {
  addresses += 1;
  return {
    'x-forwarded-for': `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`,
  };
}

const [CONNECT] = WIRES;

function openAccounts(
  headers: Readonly<Record<string, string>> = describeStranger(),
  open = CONNECT?.open,
): Client<typeof AccountService> {
  if (open === undefined) throw new Error('no wire');
  return createClient(AccountService, open(claimgate.url, headers));
}

const describeUrl = (id: string | undefined, query: Readonly<Record<string, string>>): string =>
  `${PUBLIC_URL}/login${id === undefined ? '' : `/${id}`}?${new URLSearchParams(query)}`;

describe.each(WIRES)('over $wire', ({ open }: Wire) => {
  test('an email is told its one login, in any letter case, without a token or with a wrong one', async () => {
    const { domain, configuration } = await addLoginHome(backstage);
    for (const email of [`ada@${domain}`, `ADA@${domain.toUpperCase()}`]) {
      for (const headers of [{}, describeBearer('made-up-token-of-this-test')]) {
        const accounts = openAccounts({ ...describeStranger(), ...headers }, open);
        const loginUrl = describeUrl(configuration.id, { email });
        expect(await accounts.getSSOLoginURL({ email })).toMatchObject({ loginUrl });
        const { logins, pagination } = await accounts.listSSOLogins({ email });
        expect(logins).toMatchObject([{ displayName: 'idp.example.com', loginUrl }]);
        expect(pagination?.nextToken).toBe('');
      }
    }
  });

  test('an email without a login is not found, in the same words whatever the cause', async () => {
    const inactive = await addLoginHome(backstage, { configurations: [{ state: 'inactive' }] });
    const unproved = await addLoginHome(backstage, { proved: false });
    const other = await addLoginHome(backstage, { configurations: [{ emailDomains: [] }] });
    const domains = [inactive.domain, unproved.domain, other.domain, 'unknown.example'];
    const answers = await Promise.all(
      domains.flatMap((domain) => {
        const accounts = openAccounts(describeStranger(), open);
        const email = `ada@${domain}`;
        return [
          readRefusal(accounts.getSSOLoginURL({ email })),
          readRefusal(accounts.listSSOLogins({ email })),
        ];
      }),
    );
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['not_found']));
    expect(new Set(answers.map(({ message }) => message)).size).toBe(1);
    expect(answers[0]?.message).toContain(NONE);
    expect(answers[0]?.headers.get('x-should-retry')).toBe('false');
  });

  test('too many calls are refused with the time to wait', async () => {
    const headers = describeStranger();
    const accounts = openAccounts(headers, open);
    const codes: string[] = [];
    for (let count = 0; count < LOGIN_LIMITS.discoveryByAddress.count; count += 1) {
      const call =
        count % 2 === 0
          ? accounts.getSSOLoginURL({ email: 'a@unknown.example' })
          : accounts.listSSOLogins({ email: `a@d${newId()}.example` });
      codes.push((await readRefusal(call)).code);
    }
    expect(new Set(codes)).toEqual(new Set(['not_found']));
    const email = 'a@unknown.example';
    for (const refusal of await readRefusals([
      accounts.getSSOLoginURL({ email }),
      accounts.listSSOLogins({ email }),
    ])) {
      expect(refusal.code).toBe('resource_exhausted');
      const seconds = Number(refusal.headers.get('retry-after'));
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(refusal.headers.get('ratelimit-retryafter')).toBe(String(seconds));
      expect(Number(refusal.headers.get('retry-after-ms'))).toBeGreaterThan((seconds - 1) * 1000);
      expect(refusal.headers.get('x-should-retry')).toBeNull();
    }
    const elsewhere = openAccounts(describeStranger(), open).getSSOLoginURL({ email });
    expect((await readRefusal(elsewhere)).code).toBe('not_found');
  });
});

describe('several configurations of a domain', () => {
  test('are listed with what to call them, and the one URL lets the person choose', async () => {
    const domain = `d${newId()}.example`;
    const one = await addLoginHome(backstage, {
      domain,
      configurations: [
        { displayName: 'Staff' },
        { displayName: '', issuerUrl: 'https://login.example.com:8443/tenant' },
        { displayName: 'Off', state: 'inactive' },
      ],
    });
    const other = await addLoginHome(backstage, {
      domain,
      configurations: [{ displayName: '<b>' }],
    });
    await addLoginHome(backstage, { domain, proved: false });
    const email = `Ada@${domain}`;
    const accounts = openAccounts();
    const { loginUrl } = await accounts.getSSOLoginURL({ email, returnTo: `${APP}/a?b=c` });
    expect(loginUrl).toBe(describeUrl(undefined, { email, return_to: `${APP}/a?b=c` }));
    const { logins } = await accounts.listSSOLogins({ email });
    expect(logins.map(({ displayName, loginUrl }) => [displayName, loginUrl])).toEqual([
      ['Staff', describeUrl(one.configurations[0]?.id, { email })],
      ['login.example.com:8443', describeUrl(one.configurations[1]?.id, { email })],
      ['<b>', describeUrl(other.configuration.id, { email })],
    ]);
  });

  test('come in pages, whose tokens are good for this email alone', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { domain } = await addLoginHome(backstage, {
      configurations: names.map((displayName) => ({ displayName })),
    });
    const email = `ada@${domain}`;
    const accounts = openAccounts();
    for (const pageSize of [1, 2, 5, 100]) {
      const seen: string[] = [];
      let token = '';
      do {
        const page = await accounts.listSSOLogins({ email, pagination: { pageSize, token } });
        seen.push(...page.logins.map(({ displayName }) => displayName));
        token = page.pagination?.nextToken ?? '';
      } while (token !== '');
      expect(seen).toEqual(names);
    }
    const first = await accounts.listSSOLogins({ email, pagination: { pageSize: 2 } });
    const pagination = { pageSize: 2, token: first.pagination?.nextToken ?? '' };
    const others = [{ email: `bob@${domain}` }, { email, returnTo: APP }];
    for (const request of [...others, { email, made: 'up' }]) {
      const token = 'made' in request ? 'made-up' : pagination.token;
      const call = openAccounts().listSSOLogins({ ...request, pagination: { pageSize: 2, token } });
      const refusal = await readRefusal(call);
      expect(refusal).toMatchObject({ code: 'invalid_argument', fields: ['pagination.token'] });
    }
  });

  test('come in pages by the URL too, as the published JSON clients ask', async () => {
    const { domain } = await addLoginHome(backstage, {
      configurations: [{ displayName: 'a' }, { displayName: 'b' }],
    });
    const list = async (query: string) => {
      const body = { email: `ada@${domain}` };
      const headers = describeStranger();
      const rpc = 'AccountService/ListSSOLogins';
      return (await callJson(claimgate.url, rpc, body, { query, headers })).body;
    };
    const first = await list('?pageSize=1');
    expect(first['logins']).toMatchObject([{ displayName: 'a' }]);
    const { nextToken } = first['pagination'] as { nextToken: string };
    const second = await list(`?pageSize=1&token=${nextToken}`);
    expect(second['logins']).toMatchObject([{ displayName: 'b' }]);
    expect(second['pagination']).toEqual({ nextToken: '' });
  });
});

describe('return_to', () => {
  test.each([
    [`${APP}/inbox?of=me#top`, `${APP}/inbox?of=me#top`],
    [APP, `${APP}/`],
    ['http://localhost:3000/x', 'http://localhost:3000/x'],
    ['https://sso.example.com/anywhere', 'https://sso.example.com/anywhere'],
  ])('%j is kept', async (returnTo, kept) => {
    const { domain, configuration } = await addLoginHome(backstage);
    const email = `ada@${domain}`;
    const loginUrl = describeUrl(configuration.id, { email, return_to: kept });
    const accounts = openAccounts();
    expect(await accounts.getSSOLoginURL({ email, returnTo })).toMatchObject({ loginUrl });
    const { logins } = await accounts.listSSOLogins({ email, returnTo });
    expect(logins).toMatchObject([{ loginUrl }]);
  });

  test.each([
    'https://evil.example/',
    'https://app.example.com.evil.example/',
    'https://app.example.com@evil.example/',
    'https://user:password@app.example.com/',
    'https://app.example.com:8443/',
    'http://app.example.com/',
    'http://localhost:3001/',
    '//evil.example/',
    '/inbox',
    'https:\\\\evil.example/',
    'https://evil.example\\@app.example.com/',
    'javascript:alert(1)',
    'data:text/html,x',
    'not a url',
  ])('%j is refused, also for an email without a login', async (returnTo) => {
    const { domain } = await addLoginHome(backstage);
    const accounts = openAccounts();
    for (const email of [`ada@${domain}`, 'ada@unknown.example']) {
      for (const refusal of await readRefusals([
        accounts.getSSOLoginURL({ email, returnTo }),
        accounts.listSSOLogins({ email, returnTo }),
      ])) {
        expect(refusal).toMatchObject({ code: 'invalid_argument', fields: ['return_to'] });
      }
    }
  });

  test('present and empty is refused', async () => {
    const { domain } = await addLoginHome(backstage);
    const call = openAccounts().getSSOLoginURL({ email: `ada@${domain}`, returnTo: '' });
    expect(await readRefusal(call)).toMatchObject({
      code: 'invalid_argument',
      fields: ['return_to'],
    });
  });

  test('null is the same as absent', async () => {
    const { domain, configuration } = await addLoginHome(backstage);
    const email = `ada@${domain}`;
    const body = { email, returnTo: null };
    const headers = describeStranger();
    const answer = await callJson(claimgate.url, 'AccountService/GetSSOLoginURL', body, {
      headers,
    });
    expect(answer.body).toEqual({ loginUrl: describeUrl(configuration.id, { email }) });
  });
});

describe('what comes in', () => {
  test.each(['', 'ada', 'ada@', '@example.com', 'ada@b@example.com', 'a da@example.com'])(
    'the email %j is refused by its field',
    async (email) => {
      const accounts = openAccounts();
      for (const refusal of await readRefusals([
        accounts.getSSOLoginURL({ email }),
        accounts.listSSOLogins({ email }),
      ])) {
        expect(refusal).toMatchObject({ code: 'invalid_argument', fields: ['email'] });
      }
    },
  );

  test.each([
    'ada@\u212aelvin.example',
    'ada@ex\uff41mple.com',
    'ada@localhost',
    'ada@[127.0.0.1]',
  ])('the email %j has no login', async (email) => {
    await addLoginHome(backstage, { domain: `${newId()}.example` });
    const { code } = await readRefusal(openAccounts().getSSOLoginURL({ email }));
    expect(['invalid_argument', 'not_found']).toContain(code);
  });

  test('changes no URL that we make, whatever the headers say', async () => {
    const { domain, configuration } = await addLoginHome(backstage);
    const email = `ada@${domain}`;
    const { loginUrl } = await openAccounts({
      ...describeStranger(),
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-prefix': '/evil',
      forwarded: 'host=evil.example',
    }).getSSOLoginURL({ email });
    expect(loginUrl).toBe(describeUrl(configuration.id, { email }));
  });

  test('may be a page of an allowed origin: nothing secret is answered, and CORS lets it read', async () => {
    const { domain } = await addLoginHome(backstage);
    const headers = { ...describeStranger(), origin: 'https://page.example.com' };
    const body = { email: `ada@${domain}` };
    const answer = await callJson(claimgate.url, 'AccountService/GetSSOLoginURL', body, {
      headers,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://page.example.com');
  });
});

describe('the limit of a domain', () => {
  test('holds over all addresses, in any letter case, and leaves other domains alone', async () => {
    const domain = `d${newId()}.example`;
    const { count } = LOGIN_LIMITS.discoveryByEmailDomain;
    const ask = async (email: string) => {
      const headers = describeStranger();
      const rpc = 'AccountService/GetSSOLoginURL';
      return (await callJson(claimgate.url, rpc, { email }, { headers })).body['code'];
    };
    const codes: unknown[] = [];
    for (let sent = 0; sent < count; sent += 50) {
      const batch = Array.from({ length: 50 }, (_, index) =>
        ask(`p${sent + index}@${index % 2 === 0 ? domain : domain.toUpperCase()}`),
      );
      codes.push(...(await Promise.all(batch)));
    }
    expect(codes).toHaveLength(count);
    expect(new Set(codes)).toEqual(new Set(['not_found']));
    expect(await ask(`one-more@${domain}`)).toBe('resource_exhausted');
    expect(await ask(`one-more@${domain.toUpperCase()}`)).toBe('resource_exhausted');
    expect(await ask('ada@unknown.example')).toBe('not_found');
  });
});
