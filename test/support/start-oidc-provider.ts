/**
 * Owns a real OpenID Provider (the `oidc-provider` package) on this machine, with a sign-in page that needs no script
 * and no password: whoever names one of its people is that person. For the tests and for `npm run demo`, and nothing
 * else.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { interactionPolicy, Provider } from 'oidc-provider';
import type { Configuration, InteractionResults } from 'oidc-provider';
import { renderSignInPage } from './oidc-provider-page.ts';
import { createMemoryStorage } from './oidc-provider-storage.ts';

/** What the identity provider says of a person, beside `sub`, which is the name to sign in by. */
export interface Person {
  readonly name: string;
  readonly email: string;
  readonly email_verified?: boolean;
  readonly groups?: readonly string[];
}

export const PEOPLE: Readonly<Record<string, Person>> = {
  alice: {
    name: 'Alice Example',
    email: 'alice@example.com',
    email_verified: true,
    groups: ['engineering', 'admins'],
  },
  bob: {
    name: 'Bob Example',
    email: 'bob@example.com',
    email_verified: true,
    groups: ['sales'],
  },
  mallory: {
    name: 'Mallory Example',
    email: 'mallory@example.com',
    email_verified: false,
    groups: ['contractors'],
  },
};

export interface OidcProviderOptions {
  /** Where codes may be sent: our `/auth/oidc/callback`, under each URL that it is reached by. */
  readonly redirectUris: readonly string[];
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** `PEOPLE` unless given. */
  readonly people?: Readonly<Record<string, Person>>;
  /** 0, which picks a free one, unless given. */
  readonly port?: number;
  /** The host that the issuer's URL names; 127.0.0.1 unless given. It always listens on 127.0.0.1. */
  readonly hostname?: string;
}

export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  stop(): Promise<void>;
}

export async function startOidcProvider(options: OidcProviderOptions): Promise<OidcProvider> {
  const { people = PEOPLE, clientId = 'claimgate', hostname = '127.0.0.1' } = options;
  const clientSecret = options.clientSecret ?? randomBytes(24).toString('base64url');
  const server = createServer();
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  // The issuer is part of everything that the provider makes, so it must know its port first.
  const issuer = `http://${hostname}:${(server.address() as AddressInfo).port}`;
  const client = { clientId, clientSecret, redirectUris: options.redirectUris };
  const provider = new Provider(issuer, await createConfiguration(people, client));
  const answer = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith('/interaction/') !== true) return void answer(request, response);
    signIn(provider, people, request, response).catch(() => {
      // An interaction that has ended, or was begun by another browser.
      if (!response.headersSent) response.writeHead(400, { 'content-type': 'text/plain' });
      response.end('This sign-in has expired. Start again where you came from.\n');
    });
  });
  return {
    issuer,
    clientId,
    clientSecret,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface ProviderClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
}

const LIFETIME_SECONDS = 60 * 60;

async function createConfiguration(
  people: Readonly<Record<string, Person>>,
  client: ProviderClient,
): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'first' };
  return {
    adapter: createMemoryStorage(),
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [...client.redirectUris],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups'],
    },
    scopes: ['openid', 'email', 'profile', 'groups'],
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: {
      url: (_context, { uid }) => `/interaction/${uid}`,
      policy: createInteractionPolicy(),
    },
    ttl: {
      AccessToken: LIFETIME_SECONDS,
      AuthorizationCode: 60,
      Grant: LIFETIME_SECONDS,
      IdToken: LIFETIME_SECONDS,
      Interaction: LIFETIME_SECONDS,
      Session: LIFETIME_SECONDS,
    },
    findAccount(_context, accountId) {
      const person = Object.hasOwn(people, accountId) ? people[accountId] : undefined;
      if (person === undefined) return undefined;
      return { accountId, claims: () => ({ sub: accountId, ...person }) };
    },
    // The one client is the organization's own, so nobody is asked for consent.
    async loadExistingGrant({ oidc }) {
      const { client: asking, session, params, provider } = oidc;
      if (asking === undefined || session?.accountId === undefined) return undefined;
      const grant = new provider.Grant({
        clientId: asking.clientId,
        accountId: session.accountId,
      });
      const scope = params?.['scope'];
      grant.addOIDCScope(typeof scope === 'string' ? scope : 'openid');
      await grant.save();
      return grant;
    },
  };
}

/** It asks who is there each time, so that one browser can be several people one after the other. */
function createInteractionPolicy() {
  const policy = interactionPolicy.base();
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('every_time', 'Everybody is asked each time', ({ oidc }) => {
      const hasAnswered = oidc.result?.login !== undefined;
      return hasAnswered
        ? interactionPolicy.Check.NO_NEED_TO_PROMPT
        : interactionPolicy.Check.REQUEST_PROMPT;
    }),
  );
  return policy;
}

/** The page, and what its form sends. */
async function signIn(
  provider: Provider,
  people: Readonly<Record<string, Person>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response);
  const showPage = (status: number, error?: string): void => {
    const hint = interaction.params['login_hint'];
    const [account = ''] = typeof hint === 'string' ? hint.split('@') : [];
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
    response.end(renderSignInPage(people, account, error));
  };
  if (request.method !== 'POST') return showPage(200);
  const form = new URLSearchParams(await text(request));
  const accountId = form.get('account') ?? '';
  const result: InteractionResults | undefined = form.has('cancel')
    ? { error: 'access_denied', error_description: 'The person cancelled' }
    : Object.hasOwn(people, accountId)
      ? { login: { accountId, remember: false } }
      : undefined;
  if (result === undefined) return showPage(422, `Nobody here is called "${accountId}".`);
  await provider.interactionFinished(request, response, result, {
    mergeWithLastSubmission: false,
  });
}
