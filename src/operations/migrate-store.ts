/** Owns the moving of a whole store to another database. Both are kept from servers until it is done. */
import type { Config, DatabaseConfig } from '../config.ts';
import { copyStore } from '../store/copy-store.ts';
import type { TableDigest } from '../store/copy-store.ts';
import { StoreRefusal } from '../store/plain-database.ts';
import { readSchema, requireCurrentSchema } from '../store/store-schema.ts';
import { countSecrets, sampleSecrets } from '../store/stored-secrets.ts';
import { findKeys, makePlain, openPlain } from './open-plain.ts';
import type { NoteProgress } from './progress.ts';

export interface MigrationReport {
  readonly from: string;
  readonly to: string;
  /** The same on both sides. */
  readonly tables: readonly TableDigest[];
  /** Whether an earlier run had begun it. */
  readonly resumed: boolean;
  /** Servers on the target need these. */
  readonly encryptionKeyIds: readonly string[];
  /** Where they are now: a variable, or a file. */
  readonly encryptionKeysPlace: string | undefined;
}

export interface MigrationOptions {
  readonly from: DatabaseConfig;
  readonly to: DatabaseConfig;
  /** Takes away what an unfinished migration has left, and begins anew. */
  readonly restart: boolean;
}

/** Fails with `StoreRefusal` or `StoreOpenError`. @param note is told what is found before the copying begins. */
export async function migrateStore(
  config: Pick<Config, 'encryptionKeys'>,
  { from, to, restart }: MigrationOptions,
  onProgress: NoteProgress,
  note: (sentence: string) => void,
): Promise<MigrationReport> {
  const source = await openPlain(from, 'alone', true);
  try {
    requireCurrentSchema(source.name, await readSchema(source));
    const keys = await findKeys(config, [from, to]);
    const uses = await countSecrets(source);
    const encryptionKeyIds = [...new Set(uses.map(({ keyId }) => keyId))].toSorted();
    if (encryptionKeyIds.length > 0) {
      if (keys === undefined) {
        throw new StoreRefusal(
          `The secrets are under the keys ${encryptionKeyIds.join(', ')}, and no keys are here. Set CLAIMGATE_ENCRYPTION_KEYS.`,
        );
      }
      const [problem] = await sampleSecrets(source, uses, keys.keyring);
      if (problem !== undefined) {
        throw new StoreRefusal(
          `A secret in ${problem.table} does not open: ${problem.reason} The keys are those of ${keys.place}; add the missing one there.`,
        );
      }
      note(
        `The secrets open under the keys of ${keys.place} (${encryptionKeyIds.join(', ')}). They are copied as they are: servers on the target need the same keys.`,
      );
    }
    const target = await makePlain(to);
    try {
      requireCurrentSchema(target.name, await readSchema(target));
      const { tables, resumed } = await copyStore(source, target, {
        replace: restart ? 'unfinished' : 'nothing',
        onProgress: ({ phase, done, total }) =>
          onProgress({ what: phase, done, total, unit: 'rows' }),
      });
      return {
        from: source.name,
        to: target.name,
        tables,
        resumed,
        encryptionKeyIds,
        encryptionKeysPlace: keys?.place,
      };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
