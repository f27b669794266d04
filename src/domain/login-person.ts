/**
 * Owns who a person is to us: identity is issuer and subject within one configuration; an email only ever links a
 * person to a user who was made beforehand, and only when it is proven.
 */
import { listDifferences } from './audit.ts';
import type { Change, ChangeAction } from './audit.ts';
import type { MappedAttributes } from './claims-mapping.ts';
import { normalizeEmailDomain, readEmailDomain } from './email-domain.ts';
import type { VerifiedClaims } from './identity-provider.ts';
import { describeConfiguration } from './login-discovery.ts';
import { LoginFailure } from './login-failure.ts';
import { changeUser } from './organization.ts';
import type { User } from './organization.ts';
import type { Environment, StoreTransaction } from './ports.ts';
import type { SsoConfiguration } from './sso-configuration.ts';

/** Ties a subject of an identity provider to one of our users. */
export interface Identity {
  readonly ssoConfigurationId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly userId: string;
}

/** A person's attributes with an email that may come in. */
export interface PersonAttributes extends MappedAttributes {
  readonly email: string;
  /** Of the email, normalized. */
  readonly emailDomain: string;
}

/** The email is one of the configuration's domains, and the identity provider does not say that it is unproven. */
export function checkEmail(
  configuration: Pick<SsoConfiguration, 'emailDomains'>,
  attributes: MappedAttributes,
): PersonAttributes {
  const { email, emailVerified } = attributes;
  if (email === undefined) {
    throw new LoginFailure(
      'person',
      'email_missing',
      'The claims hold no email. Ask for the scope "email", or map another claim to it.',
    );
  }
  const domain = readEmailDomain(email);
  if (domain === undefined) {
    throw new LoginFailure(
      'person',
      'email_invalid',
      'The email claim is not an email address. Map another claim to it.',
    );
  }
  if (!configuration.emailDomains.some((allowed) => normalizeEmailDomain(allowed) === domain)) {
    throw new LoginFailure(
      'person',
      'email_domain_refused',
      `The email domain ${domain} is not one of the configuration's email_domains.`,
    );
  }
  if (emailVerified === false) {
    throw new LoginFailure(
      'person',
      'email_not_verified',
      'The identity provider says that the email is not verified (email_verified is false).',
    );
  }
  return { ...attributes, email, emailDomain: domain };
}

/** Who a person is to us, before anything is written. */
export type IdentifiedPerson =
  /** Nobody yet. */
  | { readonly kind: 'new' }
  /** By issuer and subject. */
  | { readonly kind: 'known'; readonly user: User }
  /** By an email that is proven. */
  | { readonly kind: 'linked'; readonly user: User };

/** Finds out who a person is, and whether they may come in. Writes nothing. */
export async function identifyPerson(
  tx: StoreTransaction,
  configuration: Pick<SsoConfiguration, 'id' | 'organizationId'>,
  { issuer, subject }: VerifiedClaims,
  { email, emailDomain, emailVerified }: PersonAttributes,
): Promise<IdentifiedPerson> {
  if (
    emailVerified === undefined &&
    !(await tx.isDomainVerified(configuration.organizationId, emailDomain))
  ) {
    throw new LoginFailure(
      'person',
      'email_not_verified',
      `The identity provider does not say whether the email is verified. That is enough only for a domain proved by DNS: verify ${emailDomain}.`,
    );
  }
  const known = await tx.findUserByIdentity(configuration.id, issuer, subject);
  const user = known ?? (await findLinkable(tx, configuration, email));
  if (user === undefined) return { kind: 'new' };
  if (user.status === 'suspended') {
    throw new LoginFailure(
      'person',
      'user_suspended',
      'The user is suspended in this organization.',
    );
  }
  return { kind: known === undefined ? 'linked' : 'known', user };
}

/**
 * The user that this person is: known by identity, else linked by email, else made. Runs under the configuration's
 * lock, so two first logins of one person at the same time make one user.
 */
export async function admitPerson(
  tx: StoreTransaction,
  env: Pick<Environment, 'now' | 'newId'>,
  configuration: SsoConfiguration,
  verified: VerifiedClaims,
  attributes: PersonAttributes,
): Promise<{ readonly user: User; readonly changes: readonly Change[] }> {
  const person = await identifyPerson(tx, configuration, verified, attributes);
  const { issuer, subject } = verified;
  const { email } = attributes;
  const profile = {
    email,
    name: attributes.name ?? email,
    avatarUrl: attributes.picture ?? '',
    loginProvider: describeConfiguration(configuration),
  };
  if (person.kind === 'new') {
    const created: User = {
      ...profile,
      id: env.newId(),
      organizationId: configuration.organizationId,
      role: 'member',
      status: 'active',
      operator: false,
      createdAt: env.now(),
    };
    await tx.insertUser(created);
    await tx.insertIdentity({
      ssoConfigurationId: configuration.id,
      issuer,
      subject,
      userId: created.id,
    });
    return { user: created, changes: [changeUser(created, 'user.created')] };
  }
  const { user } = person;
  if (person.kind === 'linked') {
    await tx.insertIdentity({
      ssoConfigurationId: configuration.id,
      issuer,
      subject,
      userId: user.id,
    });
  }
  // Who had left comes back as what leaving made of them: a member. The role is never changed here.
  const updated: User = { ...user, ...profile, status: 'active' };
  const fields = listDifferences(user, updated, ['email', 'name', 'avatarUrl', 'loginProvider']);
  const action = chooseAction(person.kind, user, fields);
  if (action === undefined) return { user, changes: [] };
  await tx.updateUser(updated);
  return { user: updated, changes: [changeUser(user, action, fields)] };
}

/** What a login changes of a person it knows; most change nothing, and write nothing then. */
function chooseAction(
  kind: 'known' | 'linked',
  { status }: User,
  fields: readonly string[],
): ChangeAction | undefined {
  if (status === 'left') return 'user.returned';
  if (kind === 'linked') return 'user.linked';
  return fields.length > 0 ? 'user.updated' : undefined;
}

/** A user of the organization with this email, whom nobody has signed in as through this configuration yet. */
async function findLinkable(
  tx: StoreTransaction,
  configuration: Pick<SsoConfiguration, 'id' | 'organizationId'>,
  email: string,
): Promise<User | undefined> {
  const candidates = await tx.listUsersByEmail(configuration.organizationId, email);
  const [user] = candidates;
  if (user === undefined) return undefined;
  // Whoever runs the organization's identity provider can say any email. That must not reach other organizations.
  if (candidates.some(({ operator }) => operator)) {
    throw new LoginFailure(
      'person',
      'email_taken',
      'An operator has this email. Operators are not linked to an identity provider by their email.',
    );
  }
  if (candidates.length === 1 && !(await tx.hasIdentity(configuration.id, user.id))) return user;
  throw new LoginFailure(
    'person',
    'email_taken',
    'Another person of this organization signs in with this email. If the identity provider gave the address to somebody new, remove the old user first.',
  );
}
