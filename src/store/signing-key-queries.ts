/** Owns the queries over signing keys, whose private halves are stored encrypted. */
import type { PublishedKey, SigningKey } from '../domain/id-token.ts';
import type { StoreReader, StoreTransaction } from '../domain/ports.ts';
import { writeJson } from './json-column.ts';
import type { Keyring } from './keyring.ts';
import type { SigningKeyTable } from './schema.ts';
import { openOrRefuse, sealSecret } from './secret-box.ts';
import type { SecretPlace } from './secret-box.ts';
import { lockByName } from './sql-session.ts';
import type { SqlSession } from './sql-session.ts';

type Reads = Pick<StoreReader, 'listSigningKeys' | 'listPublicKeys'>;
type Writes = Pick<StoreTransaction, 'lockSigningKeys' | 'insertSigningKey' | 'deleteSigningKey'>;

const COLUMNS = ['id', 'public_key', 'private_key', 'key_id', 'created_at'] as const;

type Row = Pick<SigningKeyTable, (typeof COLUMNS)[number]>;

export function createSigningKeyReads({ db, keyring }: SqlSession): Reads {
  const newestFirst = db
    .selectFrom('signing_key')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc');
  return {
    async listSigningKeys() {
      const rows = await newestFirst.select(COLUMNS).execute();
      return rows.map((row) => readSigningKey(row, keyring));
    },

    async listPublicKeys() {
      const rows = await newestFirst.select(['id', 'public_key', 'created_at']).execute();
      return rows.map(readPublicHalf);
    },
  };
}

export function createSigningKeyWrites(session: SqlSession): Writes {
  const { db, keyring } = session;
  return {
    lockSigningKeys: () => lockByName(session, 'signing_keys'),

    async insertSigningKey(key) {
      const privateKey = writeJson(key.privateKey);
      const { keyId, box } = sealSecret(keyring, placePrivateKey(key.id), privateKey);
      const row: SigningKeyTable = {
        id: key.id,
        public_key: writeJson(key.publicKey),
        private_key: box,
        key_id: keyId,
        created_at: key.createdAt.getTime(),
      };
      await db.insertInto('signing_key').values(row).execute();
    },

    async deleteSigningKey(id) {
      await db.deleteFrom('signing_key').where('id', '=', id).execute();
    },
  };
}

export function placePrivateKey(id: string): SecretPlace {
  return ['signing-key', id, 'private_key'];
}

function readPublicHalf(row: Pick<Row, 'id' | 'public_key' | 'created_at'>): PublishedKey {
  const publicKey: SigningKey['publicKey'] = JSON.parse(row.public_key);
  return { id: row.id, publicKey, createdAt: new Date(row.created_at) };
}

function readSigningKey(row: Row, keyring: Keyring): SigningKey {
  const privateKey: SigningKey['privateKey'] = JSON.parse(openPrivateKey(row, keyring));
  return { ...readPublicHalf(row), privateKey };
}

function openPrivateKey(row: Row, keyring: Keyring): string {
  return openOrRefuse(
    keyring,
    placePrivateKey(row.id),
    {
      keyId: row.key_id,
      box: row.private_key,
    },
    'A stored signing key cannot be decrypted. Ask the operator to restore the encryption key it is under.',
  );
}
