/** Owns the changing of keys: new ones, secrets encrypted anew, and a successor for the key that signs ID tokens. */
import { v7 as newId } from 'uuid';

import type { Config } from '../config.ts';
import { COMMAND } from '../domain/audit.ts';
import { describeKeys, rotateSigningKey } from '../domain/id-token.ts';
import type { KeyStage } from '../domain/id-token.ts';
import { createEs256Signer } from '../jwt/es256-signer.ts';
import { locateKeyFile, openStore } from '../open-store.ts';
import { addToKeyFile, generateEntry } from '../store/key-file.ts';
import { StoreRefusal } from '../store/plain-database.ts';
import { resealSecrets } from '../store/reseal-secrets.ts';
import type { ResealReport } from '../store/reseal-secrets.ts';
import { readSchema, requireCurrentSchema } from '../store/store-schema.ts';
import { findKeys, openPlain } from './open-plain.ts';
import type { NoteProgress } from './progress.ts';

export interface AddedKey {
  readonly id: string;
  /** The key file that has it now; absent where a variable has the keys. */
  readonly file: string | undefined;
  /** The variable's new value, which is a secret; absent where it went into the key file. */
  readonly value: string | undefined;
}

/** @param current the value of CLAIMGATE_ENCRYPTION_KEYS, which has been parsed with the configuration */
export async function addKey(
  { database }: Pick<Config, 'database'>,
  current: string | undefined,
  place: 'first' | 'last',
): Promise<AddedKey> {
  if (current === undefined) {
    if (database.kind === 'postgres') throw new Error('PostgreSQL needs encryption keys');
    const file = locateKeyFile(database.file);
    return { id: await addToKeyFile(file, place), file, value: undefined };
  }
  const { id, text } = generateEntry();
  const list = place === 'first' ? [text, current.trim()] : [current.trim(), text];
  return { id, file: undefined, value: list.join(',') };
}

export interface RotationReport extends ResealReport {
  /** All secrets that open are under this one now. */
  readonly keyId: string;
  /** The others of the list. They may be taken out when nothing remains under them. */
  readonly otherKeyIds: readonly string[];
  readonly place: string;
}

export async function rotateEncryption(
  config: Pick<Config, 'database' | 'encryptionKeys'>,
  onProgress: NoteProgress,
): Promise<RotationReport> {
  const found = await findKeys(config, [config.database]);
  if (found === undefined) {
    throw new StoreRefusal('No encryption keys are here. Set CLAIMGATE_ENCRYPTION_KEYS.');
  }
  const { keyring, place } = found;
  const database = await openPlain(config.database, 'beside');
  try {
    requireCurrentSchema(database.name, await readSchema(database));
    const report = await resealSecrets(database, keyring, (done, total) =>
      onProgress({ what: 'encrypting anew', done, total, unit: 'secrets' }),
    );
    const otherKeyIds = keyring.keys.slice(1).map(({ id }) => id);
    return { ...report, keyId: keyring.primary.id, otherKeyIds, place };
  } finally {
    await database.close();
  }
}

export interface SigningRotation {
  /** The newest key; with `made` false there was one that does not sign yet. */
  readonly key: KeyStage;
  readonly made: boolean;
}

/** Makes the successor of the key that signs, unless one is waiting for its turn. */
export async function rotateSigning(config: Config, now: () => Date): Promise<SigningRotation> {
  const plain = await openPlain(config.database, 'beside');
  try {
    // Opening it as a server does would bring it up to date, or make it.
    requireCurrentSchema(plain.name, await readSchema(plain));
  } finally {
    await plain.close();
  }
  const { store } = await openStore(config);
  try {
    const describeNewest = async () => describeKeys(await store.listPublicKeys(), now())[0];
    const newest = await describeNewest();
    if (newest?.state === 'published') return { key: newest, made: false };
    await rotateSigningKey({ store, signer: createEs256Signer(), now, newId }, newest, COMMAND);
    const key = await describeNewest();
    if (key === undefined) throw new Error('The key that was made is not there');
    return { key, made: true };
  } finally {
    await store.close();
  }
}
