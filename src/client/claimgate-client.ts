/**
 * Owns what a client is: one object with all services, whose calls throw `ClaimgateError` alone. How bytes travel is
 * the business of the entry points, `node.ts` and `browser.ts`.
 */
import { createClient } from '@connectrpc/connect';
import type { Client, Transport } from '@connectrpc/connect';

import { AuditService } from '../../gen/claimgate/v1/audit_pb.ts';
import { LoginAttemptService } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { MemberService } from '../../gen/claimgate/v1/member_pb.ts';
import { SSOConfigurationService } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { AccountService } from '../../gen/gitpod/v1/account_pb.ts';
import { EventService } from '../../gen/gitpod/v1/event_pb.ts';
import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService } from '../../gen/gitpod/v1/user_pb.ts';
import { toClaimgateError } from './claimgate-error.ts';

/**
 * All services of a Claimgate server.
 *
 * Every method takes the request, and as an optional second argument `{ timeoutMs, signal, headers, onHeader,
 * onTrailer }`. It returns the response, or throws a `ClaimgateError`. Methods can be passed around unbound.
 */
export interface ClaimgateClient {
  /** Organizations, their members, SSO configurations and domain verifications. */
  readonly organizations: Client<typeof OrganizationService>;
  /** Who is calling, and ID tokens to prove it to third parties. */
  readonly identity: Client<typeof IdentityService>;
  /** The calling user, and personal access tokens. */
  readonly users: Client<typeof UserService>;
  /** Where a person who only knows an email address signs in. Needs no token. */
  readonly accounts: Client<typeof AccountService>;
  /** Who changed or was refused what. For ADMINs. */
  readonly audit: Client<typeof AuditService>;
  /** The same as `audit`, as the clients of `gitpod.v1` know it. */
  readonly events: Client<typeof EventService>;
  /** What became of people's tries to sign in. For ADMINs. */
  readonly loginAttempts: Client<typeof LoginAttemptService>;
  /** Members made beforehand, kept out, and let in again. For ADMINs. */
  readonly members: Client<typeof MemberService>;
  /** SSO configurations checked, tried and previewed before they shut anybody out. For ADMINs. */
  readonly ssoConfigurations: Client<typeof SSOConfigurationService>;
}

/** Makes the services' clients over any transport of Connect's, such as an in-memory one in a test. */
export function createClientOver(transport: Transport): ClaimgateClient {
  const typed = throwClaimgateErrors(transport);
  return {
    organizations: createClient(OrganizationService, typed),
    identity: createClient(IdentityService, typed),
    users: createClient(UserService, typed),
    accounts: createClient(AccountService, typed),
    audit: createClient(AuditService, typed),
    events: createClient(EventService, typed),
    loginAttempts: createClient(LoginAttemptService, typed),
    members: createClient(MemberService, typed),
    ssoConfigurations: createClient(SSOConfigurationService, typed),
  };
}

/**
 * Translates errors outside of the transport: interceptors run inside of it, and it makes a plain `unknown` of an
 * error that it does not know.
 */
function throwClaimgateErrors(transport: Transport): Transport {
  return {
    unary: async (...call) => {
      try {
        return await transport.unary(...call);
      } catch (reason) {
        throw toClaimgateError(reason);
      }
    },
    stream: async (...call) => {
      try {
        const response = await transport.stream(...call);
        return { ...response, message: translateErrors(response.message) };
      } catch (reason) {
        throw toClaimgateError(reason);
      }
    },
  };
}

async function* translateErrors<Row>(rows: AsyncIterable<Row>): AsyncIterable<Row> {
  try {
    yield* rows;
  } catch (reason) {
    throw toClaimgateError(reason);
  }
}
