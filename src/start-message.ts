/** Owns what a person at a terminal reads when the server has started. */
import type { Bootstrapped } from './domain/bootstrap.ts';

/** What is to be told of a server that has started. */
export interface StartedServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly bootstrapped?: Bootstrapped | undefined;
}

export interface StartSettings {
  readonly isTls: boolean;
  /** Where the data is, without credentials. */
  readonly database: string;
  /** Where metrics are read; absent when they are off. */
  readonly metricsUrl?: string | undefined;
}

/** A token that was generated is shown here, this once. */
export function describeStart(
  { url, bootstrapped }: StartedServer,
  { isTls, database, metricsUrl }: StartSettings,
): string {
  const metrics = metricsUrl === undefined ? '' : `Its metrics are at ${metricsUrl}\n`;
  const listening = `Claimgate listens at ${url}\nIts data is in ${database}\n${metrics}`;
  if (bootstrapped === undefined) return listening;
  const { generatedToken, organizationId } = bootstrapped;
  const token = generatedToken ?? '$CLAIMGATE_BOOTSTRAP_TOKEN';
  const introduction =
    generatedToken === undefined
      ? 'The operator token is the one in CLAIMGATE_BOOTSTRAP_TOKEN.\n'
      : `The operator token, shown this once:\n\n  ${generatedToken}\n`;
  // The certificate is rarely for the address that we listen at.
  const curl = isTls ? 'curl -sS --insecure' : 'curl -sS';
  return `${listening}
This is the first start: there is now an organization, "Default organization" (${organizationId}).
${introduction}
To look around, open ${url} in a browser and sign in with the token. To try the API:

  ${curl} ${url}/gitpod.v1.OrganizationService/ListSSOConfigurations -H "Authorization: Bearer ${token}" -H 'Content-Type: application/json' -d '{"organizationId":"${organizationId}"}'

`;
}
