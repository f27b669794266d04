/**
 * Owns the URLs of the browser: all of them are in this file. What happens at each is in `login-routes.ts` and
 * `session-routes.ts`; how a login goes is in `domain/login.ts`.
 */
import type { LoginStage } from '../domain/login-failure.ts';
import { DomainError } from '../domain/errors.ts';
import type { Environment } from '../domain/ports.ts';
import { readCallbackPath } from '../domain/redirect-uri.ts';
import { TEST_LOGIN_PATH } from '../domain/test-login.ts';
import { selectCookieNames } from '../domain/browser-cookies.ts';
import type { LoginContext, LoginPaths, LoginRouteOptions } from './login-context.ts';
import type { LoginHttpRequest, LoginHttpResponse } from './login-http.ts';
import { describeRefusal } from './login-record.ts';
import { createMessagePage, createUnavailablePage } from './login-pages.ts';
import { askForEmail, beginLogin, finishLogin, SIGNED_IN_PATH } from './login-routes.ts';
import { respondWithJson, respondWithPage } from './respond.ts';
import { beginTestLogin } from './test-login-routes.ts';
import {
  askToLogOut,
  describeSession,
  logOut,
  openTokenSession,
  showHome,
} from './session-routes.ts';

export type { LoginRouteOptions } from './login-context.ts';
export type { LoginRecord, ObserveLogin } from './login-record.ts';
export type { LoginHttpHeaders, LoginHttpRequest, LoginHttpResponse } from './login-http.ts';

export interface LoginRoutes {
  /**
   * What the path's route is called, such as `/login/{id}`; `undefined` for a path that is none of the browser's. The
   * method does not matter: `handle` answers the wrong ones.
   */
  readonly match: (path: string) => string | undefined;
  /** Fails only with what nobody foresaw; the response to that is the caller's. */
  readonly handle: (request: LoginHttpRequest) => Promise<LoginHttpResponse>;
}

type Handle = (context: LoginContext, request: LoginHttpRequest) => Promise<LoginHttpResponse>;

interface Route {
  readonly GET: Handle;
  readonly POST?: Handle;
  /** `HEAD` runs `GET` without its body, except where that would begin or spend a login (RFC 9110 §9.2.1). */
  readonly isSafe: boolean;
  /** What the log calls it. */
  readonly name: string;
  /** Of a login, until more is known. */
  readonly stage?: LoginStage;
}

const ROUTES: Readonly<Record<string, Omit<Route, 'name'>>> = {
  // Where the console has been built, `http` answers this with it.
  '/': { GET: showHome, isSafe: true },
  [SIGNED_IN_PATH]: { GET: showHome, isSafe: true },
  '/login': { GET: askForEmail, isSafe: true },
  '/logout': { GET: askToLogOut, POST: logOut, isSafe: true },
  '/session': { GET: describeSession, POST: openTokenSession, isSafe: true },
};

/** `/login/{ssoConfigurationId}`; what is no id finds no configuration. */
const START = /^\/login\/([\w-]{1,64})$/;

/** What a test login's URL ends with: 256 bits in base64url. */
const TEST_TOKEN = /^[\w-]{43}$/;

export function createLoginRoutes(env: Environment, options: LoginRouteOptions): LoginRoutes {
  return {
    match: (path) => findRoute(path)?.name,
    async handle(request) {
      const response = await answer(env, options, request);
      return request.method === 'HEAD' ? { ...response, body: '' } : response;
    },
  };
}

async function answer(
  env: Environment,
  options: LoginRouteOptions,
  request: LoginHttpRequest,
): Promise<LoginHttpResponse> {
  const route = findRoute(request.path);
  const paths = createPaths(env.publicUrl);
  if (route === undefined) return respondToUnknown(env, paths);
  const cookies = selectCookieNames(env.publicUrl);
  if (cookies === undefined) return respondToInsecurity(env, request.path);
  const { requestId, traceId } = request;
  const context: LoginContext = {
    env,
    options,
    paths,
    cookies,
    noteRefusal(error) {
      if (error instanceof DomainError && error.refused !== undefined) {
        env.refusals.note({ ...error.refused, action: `${request.method} ${route.name}` });
      }
      const end = describeRefusal(error, route.stage);
      if (end !== undefined) options.observe?.({ requestId, traceId, route: route.name, ...end });
    },
    noteSession(ssoConfigurationId) {
      const { name } = route;
      const opened = { requestId, traceId, route: name, outcome: 'admitted', code: 'ok' } as const;
      options.observe?.(
        ssoConfigurationId === undefined
          ? opened
          : { ...opened, stage: 'session', ssoConfigurationId },
      );
    },
  };
  if (holdsNul(request.query) || holdsNul(request.form)) return respondToNul(context, request.path);
  if (request.method === 'HEAD' && !route.isSafe) return respondToHead();
  const handle = selectHandle(route, request.method);
  return handle === undefined ? respondToWrongMethod(context, route) : handle(context, request);
}

function findRoute(path: string): Route | undefined {
  const fixed = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (fixed !== undefined) return { ...fixed, name: path };
  if (path.startsWith(TEST_LOGIN_PATH)) {
    const token = path.slice(TEST_LOGIN_PATH.length);
    if (!TEST_TOKEN.test(token)) return undefined;
    return {
      GET: (context, request) => beginTestLogin(context, request, token),
      isSafe: false,
      name: `${TEST_LOGIN_PATH}{token}`,
    };
  }
  const organizationId = readCallbackPath(path);
  if (organizationId !== undefined) {
    return {
      GET: (context, request) => finishLogin(context, request, organizationId),
      isSafe: false,
      name: '/auth/oidc/callback/{id}',
      stage: 'callback',
    };
  }
  const [, id] = START.exec(path) ?? [];
  if (id === undefined) return undefined;
  return {
    GET: (context, request) => beginLogin(context, request, id),
    isSafe: false,
    name: '/login/{id}',
    stage: 'start',
  };
}

function selectHandle(route: Route, method: string): Handle | undefined {
  if (method === 'GET' || method === 'HEAD') return route.GET;
  return method === 'POST' ? route.POST : undefined;
}

/** Behind a proxy that takes a prefix away, the public URL has a path. */
function createPaths(publicUrl: string): LoginPaths {
  const prefix = new URL(publicUrl).pathname.replace(/\/$/, '');
  return { home: `${prefix}/`, login: `${prefix}/login`, logout: `${prefix}/logout` };
}

function respondToUnknown(env: Environment, paths: LoginPaths): LoginHttpResponse {
  const page = createMessagePage(paths, {
    heading: 'There is no such page',
    text: 'Check the address.',
  });
  return respondWithPage(env, 404, page);
}

function respondToWrongMethod({ env, paths }: LoginContext, route: Route): LoginHttpResponse {
  const page = createMessagePage(paths, {
    heading: 'This address works differently',
    text: 'It is not for this kind of request.',
  });
  const allow = route.POST === undefined ? 'GET, HEAD' : 'GET, HEAD, POST';
  return respondWithPage(env, 405, page, { allow });
}

function holdsNul(fields: URLSearchParams | undefined): boolean {
  return [...(fields ?? [])].some((field) => field.join('').includes('\0'));
}

/** PostgreSQL cannot even be asked for text with U+0000, which no link of ours has. */
function respondToNul({ env, paths }: LoginContext, path: string): LoginHttpResponse {
  const text =
    'It holds the character U+0000, which nothing here can have. Begin again without it.';
  return path === '/session'
    ? respondWithJson(400, { code: 'invalid_argument', message: text })
    : respondWithPage(
        env,
        400,
        createMessagePage(paths, { heading: 'This address does not work', text }),
      );
}

function respondToHead(): LoginHttpResponse {
  return { status: 204, headers: { 'cache-control': 'no-store' }, body: '' };
}

/** Over plain HTTP, everybody on the way could take the session. */
function respondToInsecurity(env: Environment, path: string): LoginHttpResponse {
  const text =
    'Signing in needs https. The operator of this server sets CLAIMGATE_PUBLIC_URL to its https address; plain http works on localhost only.';
  return path === '/session'
    ? respondWithJson(503, { code: 'failed_precondition', message: text })
    : respondWithPage(env, 503, createUnavailablePage('Signing in is switched off', text));
}
