/**
 * Owns where a stored client secret may be sent: to identity providers of the origin that it was given for. Admins
 * cannot read a secret back; a change of `issuer_url` alone must not have it sent to a server of their choosing either.
 */
import { DomainError } from './errors.ts';
import { LoginFailure } from './login-failure.ts';
import type { StoreReader } from './ports.ts';
import type { SsoConfiguration } from './sso-configuration.ts';

/** Scheme, host and port of the issuer; empty for what is no URL, which is refused elsewhere. */
export function readIssuerOrigin(issuerUrl: string): string {
  return URL.parse(issuerUrl)?.origin ?? '';
}

/**
 * The configuration's client secret, to be sent to its identity provider; `undefined` when the configuration is gone.
 *
 * Fails with `LoginFailure` when it must not be sent there, or cannot be decrypted.
 */
export async function readSendableSecret(
  reader: Pick<StoreReader, 'readClientSecret'>,
  configuration: SsoConfiguration,
): Promise<string | undefined> {
  if (configuration.secretOrigin !== readIssuerOrigin(configuration.issuerUrl)) {
    throw new LoginFailure(
      'start',
      'secret_unavailable',
      `issuer_url was changed to another server, and the client secret was given for ${configuration.secretOrigin}. Set client_secret again.`,
    );
  }
  try {
    return await reader.readClientSecret(configuration.id);
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'failed_precondition') throw error;
    throw new LoginFailure('start', 'secret_undecryptable', error.message);
  }
}
