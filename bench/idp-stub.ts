/**
 * Owns an identity provider that costs little: it signs real ID tokens (ES256) and answers userinfo, and believes
 * whatever it is told. One that checks, and one that errs, are in the tests.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

import { readPort } from './read-port.ts';

export interface IdpStub {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The callback's URL, for a person with these claims who was sent to this authorization URL. */
  readonly authorize: (authorizationUrl: string, person: Person) => string;
  /** How long requests have been in hand so far, in milliseconds. */
  readonly busyMs: () => number;
}

export interface Person {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

interface Grant {
  readonly nonce: string;
  readonly person: Person;
}

const CLIENT_ID = 'claimgate';
const CLIENT_SECRET = 'secret-of-the-benchmark';

export async function startIdpStub(): Promise<IdpStub> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const header = { alg: 'ES256', kid: randomUUID() };
  const keys = [{ ...(await exportJWK(publicKey)), ...header, use: 'sig' }];
  /** By code, and then by access token. */
  const grants = new Map<string, Grant>();
  let busyMs = 0;

  const server = createServer((request, response) => {
    const startedAt = performance.now();
    response.once('finish', () => {
      busyMs += performance.now() - startedAt;
    });
    answer(request).then(
      (body) =>
        sendJson(response, body === undefined ? 400 : 200, body ?? { error: 'invalid_grant' }),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${readPort(server)}`;

  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    switch (request.url ?? '') {
      case '/.well-known/openid-configuration':
        return describe(issuer);
      case '/jwks':
        return { keys };
      case '/token':
        return trade(new URLSearchParams(await text(request)));
      case '/userinfo':
        return take(grants, request.headers.authorization?.replace('Bearer ', ''))?.person;
      default:
        return undefined;
    }
  };
  const trade = async (body: URLSearchParams): Promise<object | undefined> => {
    const grant = take(grants, body.get('code') ?? undefined);
    if (grant === undefined) return undefined;
    const { nonce, person } = grant;
    const accessToken = randomUUID();
    grants.set(accessToken, grant);
    const idToken = await new SignJWT({ nonce, email: person['email'], email_verified: true })
      .setProtectedHeader(header)
      .setIssuer(issuer)
      .setAudience(CLIENT_ID)
      .setSubject(person.sub)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    return { access_token: accessToken, token_type: 'Bearer', expires_in: 60, id_token: idToken };
  };

  return {
    issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    busyMs: () => busyMs,
    authorize(authorizationUrl, person) {
      const asked = new URL(authorizationUrl).searchParams;
      const code = randomUUID();
      grants.set(code, { nonce: asked.get('nonce') ?? '', person });
      const state = asked.get('state') ?? '';
      return `${asked.get('redirect_uri')}?${new URLSearchParams({ code, state, iss: issuer })}`;
    },
  };
}

const describe = (issuer: string): object => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  userinfo_endpoint: `${issuer}/userinfo`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
});

function take(grants: Map<string, Grant>, key = ''): Grant | undefined {
  const grant = grants.get(key);
  grants.delete(key);
  return grant;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  });
  response.end(bytes);
}
