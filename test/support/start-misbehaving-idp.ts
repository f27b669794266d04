/**
 * Owns an identity provider that does as it should until told otherwise. It serves the authorization code flow for one
 * client on 127.0.0.1 and lets everybody in as the person it is set to, without a page.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { answerWithFault } from './misbehaving-idp-faults.ts';
import type { Fault } from './misbehaving-idp-faults.ts';
import { generateProviderKey, signIdToken, signUserinfo } from './misbehaving-idp-tokens.ts';
import type { IdTokenDraft, ProviderKey, Signing } from './misbehaving-idp-tokens.ts';

export type EndpointName = 'discovery' | 'jwks' | 'authorize' | 'token' | 'userinfo';
type Claims = Record<string, unknown>;

/** What it does wrong; what is absent, it does right. */
export interface Misbehaviour {
  readonly faults?: Partial<Record<EndpointName, Fault>>;
  readonly discovery?: (metadata: Claims) => Claims;
  readonly jwks?: (document: Claims) => unknown;
  /** Changes the authorization response. */
  readonly callback?: (parameters: URLSearchParams) => void;
  /** The token endpoint refuses. */
  readonly tokenError?: {
    readonly status: number;
    readonly body: unknown;
    readonly headers?: Record<string, string>;
  };
  readonly tokens?: (response: Claims) => Claims;
  /** Changes header and claims before signing. */
  readonly idToken?: (draft: IdTokenDraft) => void;
  readonly signing?: Signing;
  readonly userinfo?: (claims: Claims) => unknown;
  readonly userinfoAsJwt?: boolean;
  readonly userinfoStatus?: number;
  /** Other keys are made, published and signed with, after the code has come in. */
  readonly rotatesKeysBeforeSigning?: boolean;
}

export interface MisbehavingIdpOptions {
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Any of RFC 7518 §3.1; ES256 unless given. */
  readonly algorithm?: string;
  /** A path below the origin for the issuer, such as `/tenant`. */
  readonly path?: string;
  readonly address?: string;
  /** What the clock of the identity provider says, in milliseconds. */
  readonly now?: () => number;
}

export interface MisbehavingIdp {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How often each endpoint was asked. */
  readonly requests: Record<EndpointName, number>;
  /** What the last requests held, for asking what was sent. */
  readonly received: { tokenBody?: URLSearchParams; tokenAuthorization?: string | undefined };
  /** Bytes written on all connections so far. */
  bytesSent(): number;
  behave(misbehaviour: Misbehaviour): void;
  /** Who signs in next. */
  signInAs(claims: Claims & { readonly sub: string }): void;
  /** New keys, published at once, under a kid of their own unless one is given. */
  rotateKeys(kid?: string): Promise<void>;
  /** The published ones. */
  keyIds(): readonly string[];
  /** Follows an authorization URL as a browser would: the callback's parameters. */
  authorize(authorizationUrl: string): Promise<URLSearchParams>;
  stop(): Promise<void>;
}

interface Grant {
  readonly nonce: string | null;
  readonly redirectUri: string | null;
  readonly codeChallenge: string | null;
}

export const ALICE = {
  sub: 'alice',
  email: 'alice@example.com',
  email_verified: true,
  name: 'Alice Example',
} as const;

export async function startMisbehavingIdp(
  options: MisbehavingIdpOptions = {},
): Promise<MisbehavingIdp> {
  const {
    clientId = 'claimgate',
    clientSecret = 'secret:with/odd+characters=&%',
    path = '',
  } = options;
  const now = options.now ?? Date.now;
  const algorithm = options.algorithm ?? 'ES256';
  let key: ProviderKey = await generateProviderKey(algorithm);
  let misbehaviour: Misbehaviour = {};
  let person: Claims = ALICE;
  let bytesOfClosed = 0;
  const grants = new Map<string, Grant>();
  const accessTokens = new Set<string>();
  const requests = { discovery: 0, jwks: 0, authorize: 0, token: 0, userinfo: 0 };
  const received: MisbehavingIdp['received'] = {};

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  const sockets = new Set<{ readonly bytesWritten: number }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      bytesOfClosed += socket.bytesWritten;
    });
  });
  server.listen(0, options.address ?? '127.0.0.1');
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  const issuer = `http://${address}:${port}${path}`;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', issuer);
    const endpoint = findEndpoint(url.pathname.slice(path.length));
    if (endpoint === undefined) return sendJson(response, 404, { error: 'not_found' });
    requests[endpoint] += 1;
    const fault = misbehaviour.faults?.[endpoint];
    if (fault !== undefined) {
      return answerWithFault(fault, response, `${issuer}/elsewhere`);
    }
    await answer[endpoint](request, response, url);
  };

  const answer: Record<
    EndpointName,
    (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void
  > = {
    discovery(_request, response) {
      const metadata = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [algorithm],
        userinfo_signing_alg_values_supported: [algorithm],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
      };
      sendJson(response, 200, misbehaviour.discovery?.(metadata) ?? metadata);
    },
    jwks(_request, response) {
      const document = { keys: [key.publicJwk] };
      sendJson(response, 200, misbehaviour.jwks?.(document) ?? document);
    },
    authorize(_request, response, url) {
      const code = randomBytes(16).toString('base64url');
      const asked = url.searchParams;
      grants.set(code, {
        nonce: asked.get('nonce'),
        redirectUri: asked.get('redirect_uri'),
        codeChallenge: asked.get('code_challenge'),
      });
      const parameters = new URLSearchParams({
        code,
        state: asked.get('state') ?? '',
        iss: issuer,
      });
      misbehaviour.callback?.(parameters);
      response.writeHead(302, { location: `${asked.get('redirect_uri')}?${parameters}` }).end();
    },
    async token(request, response) {
      const body = new URLSearchParams(await text(request));
      received.tokenBody = body;
      received.tokenAuthorization = request.headers.authorization;
      const { tokenError } = misbehaviour;
      if (tokenError !== undefined) {
        return sendJson(response, tokenError.status, tokenError.body, tokenError.headers);
      }
      if (!isClient(request, body, clientId, clientSecret)) {
        const challenge = { 'www-authenticate': 'Basic realm="token endpoint"' };
        return sendJson(response, 401, { error: 'invalid_client' }, challenge);
      }
      const grant = takeGrant(grants, body);
      if (grant === undefined) return sendJson(response, 400, { error: 'invalid_grant' });
      if (misbehaviour.rotatesKeysBeforeSigning === true) await rotateKeys();
      const accessToken = randomBytes(16).toString('base64url');
      accessTokens.add(accessToken);
      const tokens = {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: 60,
        id_token: await issueIdToken(grant),
      };
      sendJson(response, 200, misbehaviour.tokens?.(tokens) ?? tokens);
    },
    async userinfo(request, response) {
      const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
      if (!accessTokens.has(token)) {
        const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' };
        return sendJson(response, 401, {}, challenge);
      }
      const { userinfo } = misbehaviour;
      const claims = userinfo === undefined ? person : userinfo({ ...person });
      if (misbehaviour.userinfoAsJwt === true) {
        response.writeHead(200, { 'content-type': 'application/jwt' });
        response.end(
          await signUserinfo({ ...(claims as Claims), iss: issuer, aud: clientId }, key),
        );
        return;
      }
      sendJson(response, misbehaviour.userinfoStatus ?? 200, claims);
    },
  };

  const issueIdToken = async (grant: Grant): Promise<string> => {
    const issuedAt = Math.floor(now() / 1000);
    const draft: IdTokenDraft = {
      header: { alg: algorithm, kid: key.kid },
      claims: {
        iss: issuer,
        sub: person['sub'],
        aud: clientId,
        nonce: grant.nonce,
        iat: issuedAt,
        exp: issuedAt + 300,
      },
    };
    misbehaviour.idToken?.(draft);
    return signIdToken(draft, misbehaviour.signing ?? 'by the published key', key, clientSecret);
  };

  const rotateKeys = async (kid?: string): Promise<void> => {
    key = await generateProviderKey(algorithm, kid);
  };

  return {
    issuer,
    clientId,
    clientSecret,
    requests,
    received,
    bytesSent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, bytesOfClosed),
    behave(next) {
      misbehaviour = next;
    },
    signInAs(claims) {
      person = claims;
    },
    rotateKeys,
    keyIds: () => [key.kid],
    async authorize(authorizationUrl) {
      const response = await fetch(authorizationUrl, { redirect: 'manual' });
      const location = response.headers.get('location') ?? '';
      return new URL(location).searchParams;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const PATHS: Readonly<Record<string, EndpointName>> = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'jwks',
  '/authorize': 'authorize',
  '/token': 'token',
  '/userinfo': 'userinfo',
};

const findEndpoint = (path: string): EndpointName | undefined => PATHS[path];

/** RFC 6749 §2.3.1, both ways. */
function isClient(
  request: IncomingMessage,
  body: URLSearchParams,
  clientId: string,
  clientSecret: string,
): boolean {
  const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Basic') {
    return body.get('client_id') === clientId && body.get('client_secret') === clientSecret;
  }
  const [id = '', secret = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  const decode = (value: string): string | null => new URLSearchParams(`v=${value}`).get('v');
  return decode(id) === clientId && decode(secret) === clientSecret;
}

/** A code works once, with its verifier (RFC 7636 §4.6) and its redirect URI. */
function takeGrant(grants: Map<string, Grant>, body: URLSearchParams): Grant | undefined {
  const code = body.get('code') ?? '';
  const grant = grants.get(code);
  grants.delete(code);
  const challenge = createHash('sha256')
    .update(body.get('code_verifier') ?? '')
    .digest('base64url');
  if (grant?.codeChallenge !== challenge) return undefined;
  return grant.redirectUri === body.get('redirect_uri') ? grant : undefined;
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
