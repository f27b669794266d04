// Owns an organization with one of everything, and callers of every kind, for tests that ask every RPC.
import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';

import type { DomainVerification } from '../../src/domain/domain-verification.ts';
import { digestToken, generateToken } from '../../src/domain/token.ts';
import { describeOrganization, describeToken, describeUser } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';
import type { Targets } from './rpc-cases.ts';
import { describeConfiguration } from './sso-configuration-values.ts';

export interface Home extends Targets {
  readonly tokens: Readonly<Record<string, string>>;
}

/** A new organization with one of everything, made at once; its member is who requests are about. */
export async function addHome(
  claimgate: StartedClaimgate,
  backstage: Backstage,
  dns: StartedDnsServer,
): Promise<Home> {
  const organization = describeOrganization();
  const elsewhere = describeOrganization();
  const admin = describeUser(organization.id, { role: 'admin' });
  const member = describeUser(organization.id);
  const colleague = describeUser(organization.id);
  const foreigner = describeUser(elsewhere.id, { role: 'admin' });
  const configuration = describeConfiguration(organization.id);
  const verification: DomainVerification = {
    id: newId(),
    organizationId: organization.id,
    domain: `h${newId()}.example`,
    state: 'pending',
    token: '0'.repeat(32),
    createdAt: new Date(),
    verifiedAt: undefined,
  };
  const tokens = [
    { caller: 'admin', record: describeToken(admin.id) },
    { caller: 'reader', record: describeToken(admin.id, { readOnly: true }) },
    { caller: 'member', record: describeToken(member.id) },
    { caller: 'colleague', record: describeToken(colleague.id) },
    { caller: 'foreigner', record: describeToken(foreigner.id) },
  ].map((entry) => ({ ...entry, token: generateToken(randomBytes) }));
  await backstage.store.transaction(async (tx) => {
    for (const each of [organization, elsewhere]) await tx.insertOrganization(each);
    for (const user of [admin, member, colleague, foreigner]) await tx.insertUser(user);
    for (const { record, token } of tokens)
      await tx.insertPersonalAccessToken(record, digestToken(token));
    await tx.insertSsoConfiguration(configuration, 'hush');
    await tx.insertDomainVerification(verification);
  });
  const name = `_claimgate-challenge.${verification.domain}`;
  dns.setTxt(name, [`claimgate-verification=${verification.token}`]);
  return {
    organizationId: organization.id,
    ssoConfigurationId: configuration.id,
    domainVerificationId: verification.id,
    userId: member.id,
    personalAccessTokenId: tokens[2]?.record.id ?? '',
    tokens: {
      operator: claimgate.token,
      ...Object.fromEntries(tokens.map(({ caller, token }) => [caller, token])),
    },
  };
}

export function createUnknown(): Targets {
  return {
    organizationId: newId(),
    ssoConfigurationId: newId(),
    domainVerificationId: newId(),
    userId: newId(),
    personalAccessTokenId: newId(),
  };
}
