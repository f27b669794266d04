// Owns what tests of logins need around them: an organization with a proved domain, configurations, people, attempts.
import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';

import type { LoginAttempt } from '../../src/domain/login-attempt.ts';
import type { User } from '../../src/domain/organization.ts';
import { digestSessionToken, generateSessionToken } from '../../src/domain/session.ts';
import type { Session, SsoSession } from '../../src/domain/session.ts';
import type { SsoConfiguration } from '../../src/domain/sso-configuration.ts';
import type { Backstage, Person } from '../support/open-backstage.ts';
import { describeConfiguration } from './sso-configuration-values.ts';

export interface LoginHome {
  readonly organizationId: string;
  /** Of all its configurations; no other organization has it. */
  readonly domain: string;
  readonly configuration: SsoConfiguration;
  readonly configurations: readonly SsoConfiguration[];
  readonly admin: Person;
  readonly member: Person;
}

export async function addLoginHome(
  backstage: Backstage,
  given: {
    readonly configurations?: readonly Partial<SsoConfiguration>[];
    readonly domain?: string;
    readonly proved?: boolean;
  } = {},
): Promise<LoginHome> {
  const organizationId = await backstage.addOrganization();
  const { domain = `d${newId()}.example`, proved = true } = given;
  const [first, ...others] = (given.configurations ?? [{}]).map((fields) => ({
    ...describeConfiguration(organizationId),
    emailDomains: [domain],
    ...fields,
  }));
  if (first === undefined) throw new Error('no configuration');
  await backstage.store.transaction(async (tx) => {
    for (const configuration of [first, ...others]) {
      await tx.insertSsoConfiguration(configuration, 'hush');
    }
    await tx.insertDomainVerification({
      id: newId(),
      organizationId,
      domain,
      state: proved ? 'verified' : 'pending',
      token: '0'.repeat(32),
      createdAt: new Date(),
      verifiedAt: proved ? new Date() : undefined,
    });
  });
  return {
    organizationId,
    domain,
    configuration: first,
    configurations: [first, ...others],
    admin: await backstage.addPerson(organizationId, { role: 'admin' }),
    member: await backstage.addPerson(organizationId),
  };
}

export interface OpenedSession {
  readonly session: Session;
  /** What the browser's cookie holds. */
  readonly token: string;
}

/** A session as a completed login makes one. */
export async function addSession(
  backstage: Backstage,
  { configuration }: Pick<LoginHome, 'configuration'>,
  user: User,
  given: Partial<SsoSession> = {},
): Promise<OpenedSession> {
  const token = generateSessionToken(randomBytes);
  const session: Session = {
    id: newId(),
    userId: user.id,
    ssoConfigurationId: configuration.id,
    createdAt: new Date(),
    lastUsedAt: new Date(),
    ...given,
  };
  await backstage.store.transaction((tx) => tx.insertSession(session, digestSessionToken(token)));
  return { session, token };
}

export async function addAttempt(
  backstage: Backstage,
  configuration: Pick<SsoConfiguration, 'id' | 'organizationId'>,
  given: Partial<LoginAttempt> = {},
  claims?: Readonly<Record<string, unknown>>,
): Promise<LoginAttempt> {
  const attempt: LoginAttempt = {
    id: newId(),
    organizationId: configuration.organizationId,
    ssoConfigurationId: configuration.id,
    revision: 7,
    outcome: 'refused',
    stage: 'policy',
    reason: 'rule_refused',
    detail: 'The rule is false for these claims.',
    maskedEmail: 'a***@example.com',
    address: '192.0.2.7',
    at: new Date(),
    ...given,
  };
  const retention = { claimsPerConfiguration: 200, maxAgeMs: 60_000 };
  await backstage.store.transaction((tx) => tx.insertLoginAttempt(attempt, claims, retention));
  return attempt;
}
