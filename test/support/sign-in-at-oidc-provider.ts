/** Owns what a person with a browser does at the test identity provider, over plain HTTP. */

/**
 * Follows an authorization URL, signs in by name (or cancels), and stops at the callback without following it.
 *
 * @param account a name, or `cancel` for the button of that name.
 * @returns where the identity provider sends the browser in the end.
 */
export async function signInAtOidcProvider(
  authorizationUrl: string,
  account: string,
): Promise<URL> {
  const { origin } = new URL(authorizationUrl);
  const cookies = new Map<string, string>();
  let url = new URL(authorizationUrl);
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 10; step += 1) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form !== undefined && { method: 'POST', body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    form = undefined;
    if (location !== null) {
      url = new URL(location, url);
      if (url.origin !== origin) return url;
    } else if (response.status === 200) {
      form = new URLSearchParams(account === 'cancel' ? { cancel: '1' } : { account });
    } else {
      throw new Error(`The identity provider answers ${response.status} at ${url.pathname}.`);
    }
  }
  throw new Error('The identity provider sends the browser in circles.');
}
