import { setTimeout } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../src/domain/login-person.ts';
import type { User } from '../../../src/domain/organization.ts';
import type { StoreTransaction } from '../../../src/domain/ports.ts';
import { insertConfiguration, insertLoginHome } from '../login-fixtures.ts';
import type { LoginHome } from '../login-fixtures.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { insertOrganization, insertUsers, makeUser } from '../store-fixtures.ts';

const ISSUER = 'https://idp.example.com';

export function describeIdentities(store: StoreUnderTest): void {
  const run = <Result>(work: (tx: StoreTransaction) => Promise<Result>): Promise<Result> =>
    store().transaction(work);
  const insert = (identity: Identity): Promise<void> => run((tx) => tx.insertIdentity(identity));
  const find = async (configurationId: string, issuer: string, subject: string) =>
    (await run((tx) => tx.findUserByIdentity(configurationId, issuer, subject)))?.id;
  const identify = (
    { configuration, user }: LoginHome,
    given: Partial<Identity> = {},
  ): Identity => ({
    ssoConfigurationId: configuration.id,
    issuer: ISSUER,
    subject: 'subject-1',
    userId: user.id,
    ...given,
  });

  describe('identities', () => {
    test('find their user by configuration, issuer and subject together', async () => {
      const home = await insertLoginHome(store());
      const other = await insertConfiguration(store(), home.organizationId);
      await insert(identify(home));
      const found = await run((tx) =>
        tx.findUserByIdentity(home.configuration.id, ISSUER, 'subject-1'),
      );
      expect(found).toEqual(home.user);
      expect(await find(home.configuration.id, ISSUER, 'subject-2')).toBeUndefined();
      expect(await find(home.configuration.id, `${ISSUER}/`, 'subject-1')).toBeUndefined();
      expect(await find(other.id, ISSUER, 'subject-1')).toBeUndefined();
    });

    test('are other people with a subject that differs by case, space or form alone', async () => {
      const home = await insertLoginHome(store());
      await insert(identify(home, { subject: 'Ada' }));
      for (const subject of ['ada', 'Ada ', '\uff21da', 'Ada\u0000', 'A\u0301da', '']) {
        expect(await find(home.configuration.id, ISSUER, subject)).toBeUndefined();
      }
    });

    test('are the same for one subject however it and the issuer are cut', async () => {
      const pair = fc.tuple(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }));
      const home = await insertLoginHome(store());
      const seen = new Map<string, string>();
      await fc.assert(
        fc.asyncProperty(pair, async ([issuer, subject]) => {
          const key = JSON.stringify([issuer, subject]);
          expect(await find(home.configuration.id, issuer, subject)).toBe(seen.get(key));
          if (seen.has(key)) return;
          const user = makeUser(home.organizationId);
          await insertUsers(store(), [user]);
          await insert(identify(home, { issuer, subject, userId: user.id }));
          seen.set(key, user.id);
        }),
        { numRuns: 40 },
      );
    });

    test('take a subject of any length', async () => {
      const home = await insertLoginHome(store());
      const subject = 's'.repeat(20_000);
      await insert(identify(home, { subject }));
      expect(await find(home.configuration.id, ISSUER, subject)).toBe(home.user.id);
      expect(await find(home.configuration.id, ISSUER, `${subject}s`)).toBeUndefined();
    });

    test('are unique: a subject is one user, also when two come at once', async () => {
      const home = await insertLoginHome(store());
      const second = makeUser(home.organizationId);
      await insertUsers(store(), [second]);
      const outcomes = await Promise.allSettled([
        insert(identify(home)),
        insert(identify(home, { userId: second.id })),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: {
          name: 'DomainError',
          code: 'already_exists',
          message: expect.stringContaining('signed in'),
        },
      });
    });

    test('may be several of one user, in one configuration and in others', async () => {
      const home = await insertLoginHome(store());
      const other = await insertConfiguration(store(), home.organizationId);
      await insert(identify(home));
      await insert(identify(home, { subject: 'subject-2' }));
      await insert(identify(home, { ssoConfigurationId: other.id }));
      expect(await find(home.configuration.id, ISSUER, 'subject-2')).toBe(home.user.id);
      expect(await find(other.id, ISSUER, 'subject-1')).toBe(home.user.id);
    });

    test('tell whether a user has one in a configuration', async () => {
      const home = await insertLoginHome(store());
      const other = await insertConfiguration(store(), home.organizationId);
      const colleague = makeUser(home.organizationId);
      await insertUsers(store(), [colleague]);
      await insert(identify(home));
      await run(async (tx) => {
        expect(await tx.hasIdentity(home.configuration.id, home.user.id)).toBe(true);
        expect(await tx.hasIdentity(home.configuration.id, colleague.id)).toBe(false);
        expect(await tx.hasIdentity(other.id, home.user.id)).toBe(false);
        expect(await tx.hasIdentity('unknown', 'unknown')).toBe(false);
      });
    });

    test('of a user or a configuration that is not there are refused as aborted', async () => {
      const home = await insertLoginHome(store());
      for (const given of [{ userId: 'unknown' }, { ssoConfigurationId: 'unknown' }]) {
        await expect(insert(identify(home, given))).rejects.toMatchObject({
          name: 'DomainError',
          code: 'aborted',
        });
      }
    });

    test('go with their configuration, and the user stays', async () => {
      const home = await insertLoginHome(store());
      await insert(identify(home));
      await run((tx) => tx.deleteSsoConfiguration(home.configuration.id));
      expect(await find(home.configuration.id, ISSUER, 'subject-1')).toBeUndefined();
      expect(await store().findUser(home.user.id)).toEqual(home.user);
      expect(await run((tx) => tx.hasIdentity(home.configuration.id, home.user.id))).toBe(false);
    });

    test('go with their organization', async () => {
      const home = await insertLoginHome(store());
      await insert(identify(home));
      await run((tx) => tx.deleteOrganization(home.organizationId));
      expect(await find(home.configuration.id, ISSUER, 'subject-1')).toBeUndefined();
    });
  });

  describe('a login that found its user', () => {
    test.each<[string, (tx: StoreTransaction, home: LoginHome) => Promise<User | undefined>]>([
      [
        'by identity',
        (tx, { configuration }) => tx.findUserByIdentity(configuration.id, ISSUER, 'subject-1'),
      ],
      [
        'by email',
        async (tx, { organizationId, user }) =>
          (await tx.listUsersByEmail(organizationId, user.email))[0],
      ],
    ])('%s undoes no suspension and no demotion of the same moment', async (_, read) => {
      const home = await insertLoginHome(store());
      await run((tx) => tx.updateUser({ ...home.user, role: 'admin' }));
      await insert(identify(home));
      const { promise: found, resolve: tell } = Promise.withResolvers<void>();
      const login = run(async (tx) => {
        const user = await read(tx, home);
        tell();
        // Time for the other to overtake, if it could.
        await setTimeout(20);
        if (user !== undefined) await tx.updateUser({ ...user, name: 'Name of the login' });
      });
      await found;
      const change = run(async (tx) => {
        const user = await tx.lockUser(home.user.id);
        if (user !== undefined)
          await tx.updateUser({ ...user, status: 'suspended', role: 'member' });
      });
      await Promise.all([login, change]);
      expect(await store().findUser(home.user.id)).toMatchObject({
        name: 'Name of the login',
        status: 'suspended',
        role: 'member',
      });
    });

    test.each(['suspended', 'left'] as const)('sees that they are %s by now', async (status) => {
      const home = await insertLoginHome(store());
      await insert(identify(home));
      const { promise: locked, resolve: tell } = Promise.withResolvers<void>();
      const change = run(async (tx) => {
        const user = await tx.lockUser(home.user.id);
        tell();
        await setTimeout(20);
        if (user !== undefined) await tx.updateUser({ ...user, status });
      });
      await locked;
      const login = run((tx) => tx.findUserByIdentity(home.configuration.id, ISSUER, 'subject-1'));
      await change;
      expect(await login).toMatchObject({ status });
    });
  });

  describe('users by email', () => {
    const list = (organizationId: string, email: string) =>
      run((tx) => tx.listUsersByEmail(organizationId, email));

    test('are found whatever the case of ASCII letters, and whatever their status', async () => {
      const { id } = await insertOrganization(store());
      const email = 'Ada.Lovelace@Example.COM';
      for (const status of ['active', 'suspended', 'left'] as const) {
        const organization = await insertOrganization(store());
        const user = makeUser(organization.id, { email, status });
        await insertUsers(store(), [user]);
        for (const spelling of [email, email.toLowerCase(), email.toUpperCase()]) {
          expect(await list(organization.id, spelling)).toEqual([user]);
        }
      }
      expect(await list(id, email)).toEqual([]);
    });

    /** What other rules than ours would make one of: each is another person's. */
    test.each([
      ['k@example.com', '\u212a@example.com', 'the Kelvin sign'],
      ['i@example.com', '\u0131@example.com', 'a dotless i'],
      ['i@example.com', '\u0130@example.com', 'an I with a dot'],
      ['s@example.com', '\u017f@example.com', 'a long s'],
      ['ss@example.com', '\u00df@example.com', 'a sharp s'],
      ['a@example.com', '\uff41@example.com', 'a fullwidth letter'],
      ['a@example.com', '\uff21@example.com', 'a fullwidth capital'],
      ['fi@example.com', '\ufb01@example.com', 'a ligature'],
      ['a@example.com', 'a\uff20example.com', 'a fullwidth at sign'],
      ['a@example.com', 'a@example\u3002com', 'an ideographic full stop'],
      ['\u00e9@example.com', 'e\u0301@example.com', 'a decomposed accent'],
      ['\u00e9@example.com', '\u00c9@example.com', 'a capital beyond ASCII'],
      ['a@example.com', '\u0430@example.com', 'a Cyrillic letter'],
      ['a@example.com', 'a\u200b@example.com', 'an invisible space'],
      ['a@example.com', ' a@example.com', 'a space before'],
      ['a@example.com', 'a@example.com\n', 'a line break behind'],
      ['a@example.com', 'a@example.com.', 'a full stop behind'],
      ['a%@example.com', 'ab@example.com', 'a wildcard'],
      ['a_@example.com', 'ab@example.com', 'another wildcard'],
    ])('%s is not %s: %s', async (one, other) => {
      const { id } = await insertOrganization(store());
      const [first, second] = [makeUser(id, { email: one }), makeUser(id, { email: other })];
      await insertUsers(store(), [first]);
      expect(await list(id, one)).toEqual([first]);
      expect(await list(id, other)).toEqual([]);
      await insertUsers(store(), [second]);
      expect(await list(id, one)).toEqual([first]);
      expect(await list(id, other)).toEqual([second]);
    });

    test('are two at most, of one organization alone, and follow a changed email', async () => {
      const { id } = await insertOrganization(store());
      const other = await insertOrganization(store());
      const users = [makeUser(id), makeUser(id, { email: 'ADA@example.com' }), makeUser(id)];
      await insertUsers(store(), [...users, makeUser(other.id)]);
      expect(await list(id, 'ada@example.com')).toHaveLength(2);
      await run(async (tx) => {
        for (const user of users.slice(1)) await tx.updateUser({ ...user, email: 'b@example.com' });
      });
      expect(await list(id, 'ada@example.com')).toEqual([users[0]]);
    });
  });
}
