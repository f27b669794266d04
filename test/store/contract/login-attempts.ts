import { describe, expect, test } from 'vitest';
import type { LoginAttempt, LoginAttemptFilter } from '../../../src/domain/login-attempt.ts';
import type { Cursor } from '../../../src/domain/page.ts';
import {
  insertAttempt,
  insertConfiguration,
  insertLoginHome,
  makeLoginAttempt,
  RETENTION,
} from '../login-fixtures.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { makeSsoConfiguration, NOW, readAll } from '../store-fixtures.ts';

export function describeLoginAttempts(store: StoreUnderTest): void {
  const at = (offset: number): Date => new Date(NOW.getTime() + offset);
  const list = async (
    organizationId: string,
    filter: Omit<LoginAttemptFilter, 'organizationId'> = {},
  ) => (await store().listLoginAttempts({ organizationId, ...filter }, { size: 100 })).rows;

  describe('login attempts', () => {
    test('are read as they were written', async () => {
      const { organizationId, configuration } = await insertLoginHome(store(), { revision: 9 });
      const refused = await insertAttempt(store(), makeLoginAttempt(configuration));
      const admitted = makeLoginAttempt(configuration, {
        outcome: 'admitted',
        stage: 'session',
        reason: undefined,
        detail: '',
        maskedEmail: '',
        address: '',
        at: at(1),
      });
      await insertAttempt(store(), admitted);
      expect(await list(organizationId)).toMatchObject([admitted, refused]);
    });

    test('are listed newest first by when they ended, not by when they began', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      const [early, slow, twin, quick] = [0, 3, 2, 2].map((offset) =>
        makeLoginAttempt(configuration, { at: at(offset) }),
      );
      for (const attempt of [quick, slow, early, twin]) {
        if (attempt !== undefined) await insertAttempt(store(), attempt);
      }
      expect(await list(organizationId)).toMatchObject([slow, quick, twin, early]);
    });

    test('are narrowed by organization, configuration and outcome', async () => {
      const home = await insertLoginHome(store());
      const foreign = await insertLoginHome(store());
      const second = await insertConfiguration(store(), home.organizationId);
      const rows = [
        makeLoginAttempt(home.configuration),
        makeLoginAttempt(home.configuration, { outcome: 'admitted', reason: undefined }),
        makeLoginAttempt(second),
        makeLoginAttempt(foreign.configuration),
      ];
      for (const row of rows) await insertAttempt(store(), row);
      const [first, admitted, other, theirs] = rows;
      const { organizationId } = home;
      const ssoConfigurationId = home.configuration.id;
      expect(await list(organizationId)).toMatchObject([other, admitted, first]);
      expect(await list(organizationId, { ssoConfigurationId })).toMatchObject([admitted, first]);
      expect(await list(organizationId, { outcome: 'admitted' })).toMatchObject([admitted]);
      expect(await list(organizationId, { outcome: 'refused', ssoConfigurationId })).toMatchObject([
        first,
      ]);
      expect(await list(foreign.organizationId)).toMatchObject([theirs]);
      const elsewhere = { ssoConfigurationId: foreign.configuration.id };
      expect(await list(organizationId, elsewhere)).toEqual([]);
      expect(await list('unknown')).toEqual([]);
    });

    test('are narrowed by the masked email, letter case aside, and by whether their claims are kept', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      const insert = (maskedEmail: string, claims?: Readonly<Record<string, unknown>>) =>
        insertAttempt(store(), makeLoginAttempt(configuration, { maskedEmail }), claims);
      const anna = await insert('A***@Example.com', {});
      const amy = await insert('a***@example.com');
      const bob = await insert('b***@example.com', { sub: 'b' });
      await insert('');
      expect(await list(organizationId, { maskedEmail: 'a***@EXAMPLE.com' })).toMatchObject([
        amy,
        anna,
      ]);
      expect(await list(organizationId, { maskedEmail: 'a%@example.com' })).toEqual([]);
      expect(await list(organizationId, { claimsKept: true })).toMatchObject([bob, anna]);
      const both = { maskedEmail: anna.maskedEmail, claimsKept: true };
      expect(await list(organizationId, both)).toMatchObject([anna]);
    });

    test('are found by their id, with whether their claims are kept', async () => {
      const { configuration } = await insertLoginHome(store());
      const bare = await insertAttempt(store(), makeLoginAttempt(configuration));
      const kept = await insertAttempt(store(), makeLoginAttempt(configuration), {});
      expect(await store().findLoginAttempt(bare.id)).toEqual({ ...bare, claimsKept: false });
      expect(await store().findLoginAttempt(kept.id)).toEqual({ ...kept, claimsKept: true });
      expect(await store().findLoginAttempt('unknown')).toBeUndefined();
    });

    test.each([1, 2, 3, 7])(
      'come in pages of %i, leaving nothing out and showing nothing twice while others come',
      async (size) => {
        const { organizationId, configuration } = await insertLoginHome(store());
        const rows: LoginAttempt[] = [];
        for (const offset of [5, 1, 3, 3, 3, 2, 4]) {
          rows.push(
            await insertAttempt(store(), makeLoginAttempt(configuration, { at: at(offset) })),
          );
        }
        const outcome = 'refused';
        const whole = await list(organizationId);
        let others = 0;
        const read = await readAll(
          (page) => store().listLoginAttempts({ organizationId, outcome }, page),
          size,
          async () => {
            others += 1;
            await insertAttempt(store(), makeLoginAttempt(configuration, { at: at(10 + others) }));
          },
        );
        expect(read).toEqual(whole);
        expect(await list(organizationId)).toHaveLength(rows.length + others);
      },
    );

    test.each<Cursor>([['a'], ['a', 'b'], [1, 'b', 'c']] as unknown as Cursor[])(
      'refuse the cursor %o of another list',
      async (...after) => {
        const { organizationId } = await insertLoginHome(store());
        const page = { size: 2, after: after as unknown as Cursor };
        await expect(store().listLoginAttempts({ organizationId }, page)).rejects.toMatchObject({
          name: 'DomainError',
          code: 'invalid_argument',
        });
      },
    );

    test('of a configuration that is not there are refused as aborted', async () => {
      const orphan = insertAttempt(store(), makeLoginAttempt(makeSsoConfiguration('unknown')));
      await expect(orphan).rejects.toMatchObject({ name: 'DomainError', code: 'aborted' });
    });

    test('are unique by id', async () => {
      const { configuration } = await insertLoginHome(store());
      const attempt = await insertAttempt(store(), makeLoginAttempt(configuration));
      await expect(insertAttempt(store(), attempt)).rejects.toMatchObject({
        name: 'DomainError',
        code: 'already_exists',
      });
    });

    test('go with their configuration, and with their organization', async () => {
      const home = await insertLoginHome(store());
      const second = await insertConfiguration(store(), home.organizationId);
      const first = await insertAttempt(store(), makeLoginAttempt(home.configuration), {
        sub: '1',
      });
      const kept = await insertAttempt(store(), makeLoginAttempt(second));
      await store().transaction((tx) => tx.deleteSsoConfiguration(home.configuration.id));
      expect(await list(home.organizationId)).toMatchObject([kept]);
      expect(await store().readLoginAttemptClaims(first.id)).toBeUndefined();
      await store().transaction((tx) => tx.deleteOrganization(home.organizationId));
      expect(await list(home.organizationId)).toEqual([]);
    });
  });

  describe('the claims of login attempts', () => {
    const read = (attempt: LoginAttempt | undefined) =>
      store().readLoginAttemptClaims(attempt?.id ?? '');

    test('are read as they were written', async () => {
      const { configuration } = await insertLoginHome(store());
      const claims = {
        sub: 'ä\u{1f511}',
        groups: ['a', 'b'],
        nested: { deep: [1, 2.5, null, true, {}] },
        ['__proto__']: 'x',
        '': '',
      };
      const attempt = await insertAttempt(store(), makeLoginAttempt(configuration), claims);
      expect(await read(attempt)).toEqual(claims);
      expect(
        await read(await insertAttempt(store(), makeLoginAttempt(configuration))),
      ).toBeUndefined();
      expect(await store().readLoginAttemptClaims('unknown')).toBeUndefined();
    });

    test('are empty where they were empty', async () => {
      const { configuration } = await insertLoginHome(store());
      expect(await read(await insertAttempt(store(), makeLoginAttempt(configuration), {}))).toEqual(
        {},
      );
    });

    test('are not kept above 64 KiB, and the attempt is', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      const size = 64 * 1024 - JSON.stringify({ big: '' }).length;
      const large = { big: 'x'.repeat(size) };
      const tooLarge = { big: 'x'.repeat(size + 1) };
      const kept = await insertAttempt(store(), makeLoginAttempt(configuration), large);
      const bare = await insertAttempt(store(), makeLoginAttempt(configuration), tooLarge);
      expect(await read(kept)).toEqual(large);
      expect(await read(bare)).toBeUndefined();
      expect(await list(organizationId)).toHaveLength(2);
    });

    test('are not kept where they nest too deep to be written, and the attempt is', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      const nest = (depth: number): Readonly<Record<string, unknown>> =>
        JSON.parse(`${'{"a":'.repeat(depth)}{}${'}'.repeat(depth)}`);
      const kept = await insertAttempt(store(), makeLoginAttempt(configuration), nest(99));
      const bare = await insertAttempt(store(), makeLoginAttempt(configuration), nest(10_000));
      expect(await read(kept)).toEqual(nest(99));
      expect(await read(bare)).toBeUndefined();
      expect(await list(organizationId)).toHaveLength(2);
    });

    test('are kept of the newest of each configuration alone', async () => {
      const home = await insertLoginHome(store());
      const second = await insertConfiguration(store(), home.organizationId);
      const retention = { ...RETENTION, claimsPerConfiguration: 2 };
      const other = await insertAttempt(store(), makeLoginAttempt(second), { n: 0 }, retention);
      const rows: LoginAttempt[] = [];
      for (const n of [1, 2, 3, 4]) {
        const row = makeLoginAttempt(home.configuration, { at: at(n) });
        rows.push(await insertAttempt(store(), row, { n }, retention));
        // One without claims takes no place.
        await insertAttempt(
          store(),
          makeLoginAttempt(home.configuration, { at: at(n) }),
          undefined,
          retention,
        );
      }
      expect(await Promise.all(rows.map(read))).toEqual([undefined, undefined, { n: 3 }, { n: 4 }]);
      expect(await read(other)).toEqual({ n: 0 });
      expect(await list(home.organizationId)).toHaveLength(9);
    });

    test('are kept of the attempt that ended last, however long ago it began', async () => {
      const { configuration } = await insertLoginHome(store());
      const retention = { ...RETENTION, claimsPerConfiguration: 1 };
      const slow = makeLoginAttempt(configuration, { at: at(2) });
      const quick = makeLoginAttempt(configuration, { at: at(1) });
      await insertAttempt(store(), quick, { n: 1 }, retention);
      await insertAttempt(store(), slow, { n: 2 }, retention);
      expect(await Promise.all([quick, slow].map(read))).toEqual([undefined, { n: 2 }]);
    });

    test('go at the next attempt when fewer are to be kept, and all of them at none', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      const rows: LoginAttempt[] = [];
      const insert = async (n: number, claimsPerConfiguration: number) => {
        const row = makeLoginAttempt(configuration, { at: at(n) });
        const retention = { ...RETENTION, claimsPerConfiguration };
        rows.push(await insertAttempt(store(), row, { n }, retention));
        return Promise.all(rows.map(read));
      };
      await insert(1, 3);
      expect(await insert(2, 3)).toEqual([{ n: 1 }, { n: 2 }]);
      expect(await insert(3, 1)).toEqual([undefined, undefined, { n: 3 }]);
      expect(await insert(4, 0)).toEqual([undefined, undefined, undefined, undefined]);
      expect(await list(organizationId)).toHaveLength(4);
    });

    test('and the attempts are not kept at all where nothing is', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      const retention = { claimsPerConfiguration: 200, maxAgeMs: 0 };
      const attempt = makeLoginAttempt(configuration);
      await insertAttempt(store(), attempt, { n: 1 }, retention);
      expect(await list(organizationId)).toEqual([]);
      expect(await read(attempt)).toBeUndefined();
    });
  });
}
