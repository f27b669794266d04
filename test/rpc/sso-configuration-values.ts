// Owns what tests of SSO configurations fill fields with when the fields are not what they are about.
import { v7 as newId } from 'uuid';

import type { SsoConfiguration } from '../../src/domain/sso-configuration.ts';

/** A request to create, with a client id of its own. */
export function describeNewConfiguration(organizationId: string) {
  return {
    organizationId,
    clientId: `client-${newId()}`,
    clientSecret: 'hush',
    issuerUrl: 'https://idp.example.com',
  };
}

/** One as the store keeps it. */
export function describeConfiguration(organizationId: string): SsoConfiguration {
  const now = new Date();
  return {
    id: newId(),
    organizationId,
    clientId: `client-${newId()}`,
    issuerUrl: 'https://idp.example.com',
    state: 'active',
    providerType: 'custom',
    claims: {},
    emailDomains: [],
    displayName: '',
    additionalScopes: [],
    claimsExpression: '',
    secretOrigin: 'https://idp.example.com',
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}
