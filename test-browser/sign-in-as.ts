// Owns a person's whole sign-in without a browser, where it is but what went before.
import { createWebClient } from '../test/support/create-web-client.ts';
import { signInAtOidcProvider } from '../test/support/sign-in-at-oidc-provider.ts';

export interface PersonOfConfiguration {
  /** Claimgate's. */
  readonly url: string;
  readonly ssoConfigurationId: string;
  /** At the test identity provider. */
  readonly name: string;
}

/** Whether the person got in. */
export async function signInAs(person: PersonOfConfiguration): Promise<boolean> {
  const { url, ssoConfigurationId, name } = person;
  const client = createWebClient(url);
  const email = encodeURIComponent(`${name}@example.com`);
  const begun = await client.open(`/login/${ssoConfigurationId}?email=${email}`);
  const callback = await signInAtOidcProvider(begun.location, name);
  const { status } = await client.open(callback);
  return status === 303;
}
