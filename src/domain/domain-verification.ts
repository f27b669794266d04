/** Owns DNS proof that an organization owns an email domain, from the challenge to the verdict. */
import { assertAdminOf, assertMayWrite } from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, makeChange, recordAs, unchanged } from './audit.ts';
import type { Change, ChangeAction } from './audit.ts';
import { normalizeEmailDomain } from './email-domain.ts';
import { createViolationError, DomainError } from './errors.ts';
import { getOrganizationAsAdmin } from './organization.ts';
import type { Page, PageRequest } from './page.ts';
import type { Environment } from './ports.ts';

export type DomainVerificationState = 'pending' | 'verified';

export interface DomainVerification {
  readonly id: string;
  readonly organizationId: string;
  /** As the admin wrote it; compared without regard to case. */
  readonly domain: string;
  readonly state: DomainVerificationState;
  /** What the TXT record must hold behind its prefix: 32 hexadecimal digits. No secret. */
  readonly token: string;
  readonly createdAt: Date;
  readonly verifiedAt: Date | undefined;
}

const domainVerificationNotFound = (): DomainError =>
  new DomainError(
    'not_found',
    'No such domain verification. ListDomainVerifications shows those of your organization.',
    { reason: 'DOMAIN_VERIFICATION_NOT_FOUND' },
  );

/** The TXT record that proves the domain (underscored name as in RFC 8552). */
function describeChallenge(verification: DomainVerification): {
  readonly name: string;
  readonly value: string;
} {
  return {
    name: `_claimgate-challenge.${verification.domain.toLowerCase()}`,
    value: `claimgate-verification=${verification.token}`,
  };
}

export async function createDomainVerification(
  env: Environment,
  caller: Principal,
  organizationId: string,
  domain: string,
): Promise<DomainVerification> {
  assertMayWrite(caller);
  const organization = await getOrganizationAsAdmin(env, caller, organizationId);
  if (normalizeEmailDomain(domain) === undefined) {
    throw createViolationError([
      {
        field: 'domain',
        rule: 'domain.format',
        message: `"${domain}" is not a domain name such as example.com`,
      },
    ]);
  }
  const verification: DomainVerification = {
    id: env.newId(),
    organizationId: organization.id,
    domain,
    state: 'pending',
    token: Buffer.from(env.randomBytes(16)).toString('hex'),
    createdAt: env.now(),
    verifiedAt: undefined,
  };
  return makeChange(env, describeActor(caller), async (tx) => {
    await tx.insertDomainVerification(verification);
    return recordAs(verification, changeVerification(verification, 'domain_verification.created'));
  });
}

export async function getDomainVerification(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<DomainVerification> {
  const verification = await env.store.findDomainVerification(id);
  if (verification === undefined) throw domainVerificationNotFound();
  assertAdminOf(caller, verification.organizationId, domainVerificationNotFound);
  return verification;
}

export async function listDomainVerifications(
  env: Environment,
  caller: Principal,
  organizationId: string,
  page: PageRequest,
): Promise<Page<DomainVerification>> {
  const organization = await getOrganizationAsAdmin(env, caller, organizationId);
  return env.store.listDomainVerifications(organization.id, page);
}

/** Looks for the TXT record. A domain that is verified stays so, without another look. */
export async function verifyDomain(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<DomainVerification> {
  assertMayWrite(caller);
  const pending = await getDomainVerification(env, caller, id);
  if (pending.state === 'verified') return pending;
  const challenge = describeChallenge(pending);
  const records = await env.dns.resolveTxt(challenge.name);
  if (!records.includes(challenge.value)) {
    const seen =
      records.length === 0 ? 'it has no TXT record' : 'none of its TXT records is the one';
    throw new DomainError(
      'failed_precondition',
      `Looked up ${challenge.name}: ${seen}. Create a TXT record there with the value ${challenge.value} and try again; a new record can take until the old answer's time to live has passed.`,
      {
        reason: 'DOMAIN_RECORD_MISSING',
        metadata: { recordType: 'TXT', recordName: challenge.name, recordValue: challenge.value },
      },
    );
  }
  return makeChange(env, describeActor(caller), async (tx) => {
    const current = await tx.lockDomainVerification(id);
    if (current === undefined) throw domainVerificationNotFound();
    if (current.state === 'verified') return unchanged(current);
    const verified: DomainVerification = { ...current, state: 'verified', verifiedAt: env.now() };
    await tx.updateDomainVerification(verified);
    return recordAs(verified, changeVerification(verified, 'domain_verification.verified'));
  });
}

export async function deleteDomainVerification(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<void> {
  assertMayWrite(caller);
  await makeChange(env, describeActor(caller), async (tx) => {
    const current = await tx.lockDomainVerification(id);
    if (current === undefined) throw domainVerificationNotFound();
    assertAdminOf(caller, current.organizationId, domainVerificationNotFound);
    await tx.deleteDomainVerification(id);
    return recordAs(undefined, changeVerification(current, 'domain_verification.deleted'));
  });
}

function changeVerification(
  { id, organizationId }: Pick<DomainVerification, 'id' | 'organizationId'>,
  action: ChangeAction,
): Change {
  return { action, organizationId, subject: { type: 'domain_verification', id } };
}
