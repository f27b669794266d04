/** Owns the view of all keys: what encrypts the store's secrets, and what signs ID tokens. */
import type { Config } from '../config.ts';
import { describeKeys } from '../domain/id-token.ts';
import type { KeyStage } from '../domain/id-token.ts';
import { requireCurrentSchema, readSchema } from '../store/store-schema.ts';
import { countSecrets } from '../store/stored-secrets.ts';
import { findKeys, openPlain } from './open-plain.ts';

export interface EncryptionKeyUse {
  readonly id: string;
  /** `missing` for one that secrets are under and that is not in the list. */
  readonly use: 'encrypts' | 'decrypts' | 'missing';
  readonly secrets: number;
}

export interface KeyList {
  /** CLAIMGATE_ENCRYPTION_KEYS, or the path of the key file; absent where there are none. */
  readonly place: string | undefined;
  /** In the order of the list, then those that are missing. */
  readonly encryptionKeys: readonly EncryptionKeyUse[];
  /** Newest first. */
  readonly signingKeys: readonly KeyStage[];
}

/** Changes nothing. */
export async function listKeys(
  config: Pick<Config, 'database' | 'encryptionKeys'>,
  now: Date,
): Promise<KeyList> {
  const found = await findKeys(config, [config.database]);
  const database = await openPlain(config.database, 'beside');
  try {
    requireCurrentSchema(database.name, await readSchema(database));
    const counts = new Map<string, number>();
    for (const { keyId, secrets } of await countSecrets(database)) {
      counts.set(keyId, (counts.get(keyId) ?? 0) + secrets);
    }
    const listed = found?.keyring.keys.map(({ id }) => id) ?? [];
    const missing = [...counts.keys()].filter((id) => !listed.includes(id)).toSorted();
    const describe = (id: string, use: EncryptionKeyUse['use']): EncryptionKeyUse => ({
      id,
      use,
      secrets: counts.get(id) ?? 0,
    });
    const rows = await database.all(
      'select id, created_at from signing_key order by created_at desc, id desc',
    );
    const signing = rows.map(({ id, created_at }) => ({
      id: String(id),
      createdAt: new Date(Number(created_at)),
    }));
    return {
      place: found?.place,
      encryptionKeys: [
        ...listed.map((id, index) => describe(id, index === 0 ? 'encrypts' : 'decrypts')),
        ...missing.map((id) => describe(id, 'missing')),
      ],
      signingKeys: describeKeys(signing, now),
    };
  } finally {
    await database.close();
  }
}
