/** Owns reading many login attempts with their kept claims at once, for previews. */
import type { TrialReader } from '../domain/trial-ports.ts';
import { cutPage, readLimit } from './keyset-page.ts';
import type { Keyring } from './keyring.ts';
import { ATTEMPT_COLUMNS, isBefore, placeClaims, readAttempt } from './login-attempt-queries.ts';
import type { LoginAttemptTable } from './schema.ts';
import { openSecret, SecretBoxError } from './secret-box.ts';
import type { SqlSession } from './sql-session.ts';

type Reads = Pick<TrialReader, 'listKeptAttempts'>;

export function createKeptAttemptReads({ db, keyring }: SqlSession): Reads {
  return {
    async listKeptAttempts(ssoConfigurationId, page) {
      let query = db
        .selectFrom('login_attempt')
        .select([...ATTEMPT_COLUMNS, 'claims', 'key_id'])
        .where('configuration_id', '=', ssoConfigurationId)
        .where('key_id', 'is not', null)
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(readLimit(page));
      if (page.after !== undefined) query = query.where(isBefore(page.after));
      return cutPage(
        await query.execute(),
        page,
        (row) => ({ attempt: readAttempt(row), claims: openClaims(keyring, row) }),
        ({ at, id }) => [at, id],
      );
    },
  };
}

function openClaims(
  keyring: Keyring,
  {
    id,
    configuration_id,
    claims,
    key_id,
  }: Pick<LoginAttemptTable, 'id' | 'configuration_id' | 'claims' | 'key_id'>,
): Readonly<Record<string, unknown>> | undefined {
  if (claims === null || key_id === null) return undefined;
  try {
    const box = { keyId: key_id, box: claims };
    return JSON.parse(openSecret(keyring, placeClaims(configuration_id, id), box));
  } catch (error) {
    if (error instanceof SecretBoxError) return undefined;
    throw error;
  }
}
