// Owns what a browser does with a server over HTTP: it keeps cookies, and follows nothing by itself.

export interface FetchBrowser {
  /** Asks this server for a path, whichever server set the cookies: they stand for one behind a balancer. */
  readonly open: (origin: string, path: string, init?: RequestInit) => Promise<Response>;
  /** Its cookies, as it sends them. */
  readonly describeCookies: () => string;
}

export function createFetchBrowser(): FetchBrowser {
  const cookies = new Map<string, string>();
  const describeCookies = (): string =>
    [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return {
    describeCookies,
    async open(origin, path, init = {}) {
      const headers = new Headers(init.headers);
      const cookie = describeCookies();
      if (cookie !== '') headers.set('cookie', cookie);
      const response = await fetch(origin + path, { ...init, headers, redirect: 'manual' });
      for (const line of response.headers.getSetCookie()) {
        const [pair = '', ...attributes] = line.split('; ');
        const [name = '', value = ''] = pair.split('=');
        if (attributes.includes('Max-Age=0')) cookies.delete(name);
        else cookies.set(name, value);
      }
      return response;
    },
  };
}
