// Owns what a browser does at our routes: it keeps cookies and follows nothing by itself.
import type { LoginHttpHeaders, LoginRoutes } from '../../src/login/routes.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
  /** Empty when there is none. */
  readonly location: string;
}

export interface Visit {
  readonly method?: string;
  readonly headers?: LoginHttpHeaders;
  readonly form?: Record<string, string>;
  readonly address?: string;
}

export interface Browser {
  /** By name. */
  readonly cookies: Map<string, string>;
  /** What it would do with a path, or with a URL of ours. */
  readonly open: (url: string, visit?: Visit) => Promise<Answer>;
}

export function createBrowser(routes: LoginRoutes, publicUrl: string): Browser {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async open(url, { method = 'GET', headers = {}, form, address = '192.0.2.7' } = {}) {
      const { pathname, searchParams } = new URL(url, publicUrl);
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await routes.handle({
        requestId: 'request-of-a-test',
        traceId: undefined,
        method,
        path: pathname,
        query: searchParams,
        headers: { ...(cookie !== '' && { cookie }), ...headers },
        form: form === undefined ? undefined : new URLSearchParams(form),
        address,
      });
      for (const line of [response.headers['set-cookie'] ?? []].flat()) keep(cookies, line);
      return { ...response, location: String(response.headers['location'] ?? '') };
    },
  };
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ');
  const [name = '', value = ''] = pair.split('=');
  if (attributes.includes('Max-Age=0')) cookies.delete(name);
  else cookies.set(name, value);
}
