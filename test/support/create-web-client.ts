// Owns what a browser does over plain HTTP at one server: it keeps the cookies, and follows nothing by itself.

export interface WebAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Absolute; empty when it leads nowhere. */
  readonly location: string;
}

export interface WebClient {
  /** @param target a path, or a URL of the same server */
  open(target: string | URL, request?: RequestInit): Promise<WebAnswer>;
}

export function createWebClient(origin: string): WebClient {
  const cookies = new Map<string, string>();
  return {
    async open(target, request = {}) {
      const url = new URL(target, origin);
      if (url.origin !== origin) throw new Error(`${url.origin} is another server than ${origin}.`);
      const headers = new Headers(request.headers);
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
      const response = await fetch(url, { ...request, headers, redirect: 'manual' });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (line.includes('Max-Age=0')) cookies.delete(name);
        else cookies.set(name, value);
      }
      const location = response.headers.get('location');
      return {
        status: response.status,
        headers: response.headers,
        text: await response.text(),
        location: location === null ? '' : new URL(location, url).href,
      };
    },
  };
}
