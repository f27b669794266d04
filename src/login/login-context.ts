/** Owns what every route is given beside its request. */
import type { Environment } from '../domain/ports.ts';
import type { CookieNames } from '../domain/browser-cookies.ts';
import type { ObserveLogin } from './login-record.ts';

export interface LoginRouteOptions {
  /** Origins, besides our own, whose pages may end the session of their browser. */
  readonly allowedOrigins: readonly string[];
  /** The console is served at the home path. */
  readonly hasConsole?: boolean;
  /** Notes that a session was used, so that it does not end as idle. */
  readonly noteSessionUse?: ((sessionId: string) => void) | undefined;
  readonly observe?: ObserveLogin | undefined;
}

/** Where the pages lead: paths, so that they hold under whatever name the browser knows us. */
export interface LoginPaths {
  readonly home: string;
  readonly login: string;
  readonly logout: string;
}

export interface LoginContext {
  readonly env: Environment;
  readonly options: LoginRouteOptions;
  readonly paths: LoginPaths;
  readonly cookies: CookieNames;
  /** Tells of what failed, where it is to be told. */
  readonly noteRefusal: (error: unknown) => void;
  /** Tells of a session that was opened: by a login through a configuration, or by a token. */
  readonly noteSession: (ssoConfigurationId?: string) => void;
}
