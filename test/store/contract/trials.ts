/** Owns the contract of what trials ask of the store: kept attempts, and test logins. */
import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { TestLogin } from '../../../src/domain/test-login.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { insertAttempt, makeLoginAttempt } from '../login-fixtures.ts';
import {
  insertOrganization,
  makeDigest,
  makeSsoConfiguration,
  NOW,
  readAll,
} from '../store-fixtures.ts';

const RETENTION = { claimsPerConfiguration: 1_000, maxAgeMs: 3_600_000 };

export function describeTrials(store: StoreUnderTest): void {
  async function insertConfiguration() {
    const { id } = await insertOrganization(store());
    const configuration = makeSsoConfiguration(id);
    await store().transaction((tx) => tx.insertSsoConfiguration(configuration, 'secret'));
    return configuration;
  }

  function makeTestLogin(
    { organizationId, id }: { readonly organizationId: string; readonly id: string },
    given: Partial<TestLogin> = {},
  ): TestLogin {
    return {
      id: newId(),
      organizationId,
      ssoConfigurationId: id,
      phase: 'waiting',
      tokenDigest: makeDigest(),
      stateDigest: undefined,
      browserDigest: undefined,
      expiresAt: NOW,
      content: {
        kind: 'plan',
        configuration: makeSsoConfiguration(organizationId, { createdAt: NOW }),
        secret: { kind: 'given', secret: randomBytes(8).toString('hex') },
        nonce: 'nonce',
        codeVerifier: 'verifier',
      },
      ...given,
    };
  }

  describe('kept attempts', () => {
    it('come with their claims, newest first, in pages, of one configuration', async () => {
      const configuration = await insertConfiguration();
      const other = await insertConfiguration();
      const ids: string[] = [];
      await store().transaction(async (tx) => {
        for (const [index, owner] of [
          configuration,
          other,
          configuration,
          configuration,
        ].entries()) {
          const id = newId();
          if (owner === configuration) ids.unshift(id);
          const attempt = {
            id,
            organizationId: owner.organizationId,
            ssoConfigurationId: owner.id,
            revision: 1,
            outcome: 'admitted',
            stage: 'session',
            reason: undefined,
            detail: '',
            maskedEmail: 'a***@example.com',
            address: '',
            at: NOW,
          } as const;
          // Without claims it is none that was kept.
          await tx.insertLoginAttempt({ ...attempt, id: newId() }, undefined, RETENTION);
          await tx.insertLoginAttempt(attempt, { index }, RETENTION);
        }
      });
      const first = await store().listKeptAttempts(configuration.id, { size: 2 });
      expect(first.rows.map(({ attempt }) => attempt.id)).toEqual(ids.slice(0, 2));
      expect(first.rows.map(({ claims }) => claims)).toEqual([{ index: 3 }, { index: 2 }]);
      const second = await store().listKeptAttempts(configuration.id, {
        size: 2,
        after: first.next,
      });
      expect(second.rows.map(({ claims }) => claims)).toEqual([{ index: 0 }]);
      expect(second.next).toBeUndefined();
    });

    it('come by when they ended, however long ago they began', async () => {
      const configuration = await insertConfiguration();
      const [slow, quick] = [2, 1].map((ms) =>
        makeLoginAttempt(configuration, { at: new Date(NOW.getTime() + ms) }),
      );
      for (const attempt of [slow, quick]) {
        if (attempt !== undefined) await insertAttempt(store(), attempt, {});
      }
      for (const size of [1, 2]) {
        const rows = await readAll(
          (page) => store().listKeptAttempts(configuration.id, page),
          size,
        );
        expect(rows.map(({ attempt }) => attempt.id)).toEqual([slow?.id, quick?.id]);
      }
    });
  });

  describe('test logins', () => {
    it('are found by id, token and state, and keep what they are given', async () => {
      const configuration = await insertConfiguration();
      const login = makeTestLogin(configuration);
      const opened: TestLogin = {
        ...login,
        phase: 'open',
        stateDigest: makeDigest(),
        browserDigest: makeDigest(),
      };
      await store().transaction((tx) => tx.insertTestLogin(login));
      expect(await store().findTestLogin(login.id)).toMatchObject({ phase: 'waiting' });
      await store().transaction(async (tx) => {
        const found = await tx.lockTestLogin('token', login.tokenDigest);
        expect(found?.id).toBe(login.id);
        await tx.updateTestLogin(opened);
        expect((await tx.lockTestLogin('state', opened.stateDigest ?? makeDigest()))?.phase).toBe(
          'open',
        );
        expect(await tx.lockTestLogin('token', makeDigest())).toBeUndefined();
        expect(await tx.lockTestLogin('state', makeDigest())).toBeUndefined();
      });
      const found = await store().findTestLogin(login.id);
      expect(found?.content).toEqual(JSON.parse(JSON.stringify(login.content)));
      expect(found?.browserDigest).toEqual(opened.browserDigest);
      expect(await store().findTestLogin(newId())).toBeUndefined();
    });

    it('need no stored configuration, and go with the one that they have, or the organization', async () => {
      const configuration = await insertConfiguration();
      const ofStored = makeTestLogin(configuration);
      const ofDraft = makeTestLogin(configuration, { ssoConfigurationId: undefined });
      await store().transaction(async (tx) => {
        await tx.insertTestLogin(ofStored);
        await tx.insertTestLogin(ofDraft);
      });
      await store().transaction((tx) => tx.deleteSsoConfiguration(configuration.id));
      expect(await store().findTestLogin(ofStored.id)).toBeUndefined();
      expect(await store().findTestLogin(ofDraft.id)).toBeDefined();
      await store().transaction((tx) => tx.deleteOrganization(configuration.organizationId));
      expect(await store().findTestLogin(ofDraft.id)).toBeUndefined();
    });

    it('have a token of their own', async () => {
      const configuration = await insertConfiguration();
      const login = makeTestLogin(configuration);
      const twin = makeTestLogin(configuration, { tokenDigest: login.tokenDigest });
      await store().transaction((tx) => tx.insertTestLogin(login));
      await expect(store().transaction((tx) => tx.insertTestLogin(twin))).rejects.toMatchObject({
        code: 'already_exists',
      });
    });
  });
}
