/**
 * Owns the other side of a login, as a program: an identity provider, and browsers that come and go. Told what to do by
 * messages of its parent. Both live in one process so that the time which the provider has a request in hand can be
 * taken off what a browser waits.
 */
import { request, Agent } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

import { startIdpStub } from './idp-stub.ts';
import { loginLoadCommand } from './login-load-messages.ts';
import type { LoginLoadCommand, LoginLoadResult, TimedLogin } from './login-load-messages.ts';

const EMAIL_DOMAIN = 'example.com';
/** The example that everyone writes first. */
const RULE = `claims.email_verified && claims.email.endsWith("@${EMAIL_DOMAIN}")`;
/** One login in so many is a person's first. */
const FIRST_LOGINS = 10;

const idp = await startIdpStub();
const agent = new Agent({ keepAlive: true });
let count = 0;

process.on('message', (message) => {
  run(loginLoadCommand.parse(message)).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.send?.({
  issuerUrl: idp.issuer,
  clientId: idp.clientId,
  clientSecret: idp.clientSecret,
  emailDomain: EMAIL_DOMAIN,
  claimsExpression: RULE,
});

async function run(command: LoginLoadCommand): Promise<LoginLoadResult> {
  const logins: TimedLogin[] = [];
  const startedAt = performance.now();
  const deadline = startedAt + command.seconds * 1000;
  const signInRepeatedly = async (): Promise<void> => {
    while (performance.now() < deadline) logins.push(await signIn(command));
  };
  await Promise.all(Array.from({ length: command.parallel }, signInRepeatedly));
  return { logins, seconds: (performance.now() - startedAt) / 1000 };
}

/** As a browser would; only the page of the identity provider is left out. */
async function signIn({ port, ssoConfigurationId }: LoginLoadCommand): Promise<TimedLogin> {
  count += 1;
  const address = `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`;
  const start = await visit(port, `/login/${ssoConfigurationId}`, { 'x-forwarded-for': address });
  const cookie = readCookie(start.headers);
  const person = count % FIRST_LOGINS === 0 ? `new-${count}` : `known-${count % 500}`;
  const callback = idp.authorize(start.headers.location ?? '', {
    sub: person,
    email: `${person}@${EMAIL_DOMAIN}`,
    email_verified: true,
    name: `Person ${person}`,
    groups: ['staff', 'engineering', 'on-call'],
  });
  const busyBefore = idp.busyMs();
  const startedAt = performance.now();
  const { pathname, search } = new URL(callback);
  const headers = { 'x-forwarded-for': address, cookie };
  const end = await visit(port, pathname + search, headers);
  const wholeMs = performance.now() - startedAt;
  if (!readCookie(end.headers).startsWith('claimgate-session='))
    throw new Error(`A login ended with ${end.status}: ${end.text}`);
  return { wholeMs, providerMs: idp.busyMs() - busyBefore };
}

function readCookie(headers: IncomingHttpHeaders): string {
  return headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
}

interface Visited {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function visit(port: number, path: string, headers: Record<string, string>): Promise<Visited> {
  return new Promise((resolve, reject) => {
    request({ agent, port, path, headers, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, text }),
      );
      response.once('error', reject);
    })
      .once('error', reject)
      .end();
  });
}
