/**
 * The third composition root, beside `main.ts` and `evaluate-offline.ts`: it gives the operator's commands the store
 * that the environment names, as `serve` does. The command line imports it when such a command runs, so that it
 * otherwise knows gen and client alone.
 */
import { ConfigError, parseConfig, parseDatabase } from './config.ts';
import type { DatabaseConfig } from './config.ts';
import { backUpStore } from './operations/back-up-store.ts';
import type { BackupReport } from './operations/back-up-store.ts';
import { listKeys } from './operations/list-keys.ts';
import type { KeyList } from './operations/list-keys.ts';
import { migrateStore } from './operations/migrate-store.ts';
import type { MigrationReport } from './operations/migrate-store.ts';
import type { NoteProgress } from './operations/progress.ts';
import { restoreStore } from './operations/restore-store.ts';
import type { RestoreReport } from './operations/restore-store.ts';
import { addKey, rotateEncryption, rotateSigning } from './operations/rotate-keys.ts';
import type { AddedKey, RotationReport, SigningRotation } from './operations/rotate-keys.ts';
import { KeyFileError } from './store/key-file.ts';
import { StoreRefusal } from './store/plain-database.ts';
import { readSqliteFailure } from './store/sqlite-errors.ts';
import { StoreOpenError } from './store/store-open-error.ts';

export { diagnose } from './operations/diagnose.ts';

export type Surroundings = Readonly<Record<string, string | undefined>>;

export async function backUp(
  environment: Surroundings,
  options: { readonly file: string; readonly force: boolean },
  onProgress: NoteProgress,
): Promise<BackupReport> {
  return backUpStore(parseConfig(environment), options, onProgress);
}

export async function restore(
  environment: Surroundings,
  { file, to, force }: { readonly file: string; readonly to?: string; readonly force: boolean },
  onProgress: NoteProgress,
): Promise<RestoreReport> {
  const config = parseConfig(environment);
  const target = chooseDatabase('--to', to, config.database);
  return restoreStore(config, { file, target, force }, onProgress);
}

export async function migrate(
  environment: Surroundings,
  given: { readonly from?: string; readonly to?: string; readonly restart: boolean },
  onProgress: NoteProgress,
  note: (sentence: string) => void,
): Promise<MigrationReport> {
  if (given.from === undefined && given.to === undefined) {
    throw new ConfigError(['--from or --to is needed; CLAIMGATE_DATABASE_URL is the other']);
  }
  const config = parseConfig(environment);
  const from = chooseDatabase('--from', given.from, config.database);
  const to = chooseDatabase('--to', given.to, config.database);
  return migrateStore(config, { from, to, restart: given.restart }, onProgress, note);
}

export async function listAllKeys(environment: Surroundings): Promise<KeyList> {
  return listKeys(parseConfig(environment), new Date());
}

export async function addEncryptionKey(
  environment: Surroundings,
  place: 'first' | 'last',
): Promise<AddedKey> {
  const current = environment['CLAIMGATE_ENCRYPTION_KEYS'];
  return addKey(parseConfig(environment), current === '' ? undefined : current, place);
}

export async function rotateEncryptionKeys(
  environment: Surroundings,
  onProgress: NoteProgress,
): Promise<RotationReport> {
  return rotateEncryption(parseConfig(environment), onProgress);
}

export async function rotateSigningKeys(environment: Surroundings): Promise<SigningRotation> {
  return rotateSigning(parseConfig(environment), () => new Date());
}

function chooseDatabase(
  option: string,
  url: string | undefined,
  configured: DatabaseConfig,
): DatabaseConfig {
  return url === undefined ? configured : parseDatabase(option, url);
}

/** What the command line ends with: `usage` for what was given, `refused` for the state that things are in. */
export interface OperationFailure {
  readonly kind: 'usage' | 'refused' | 'failed';
  readonly message: string;
}

/** `undefined` for what should not have happened. */
export function explainOperationFailure(error: unknown): OperationFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  if (error instanceof ConfigError) return { kind: 'usage', message };
  if (error instanceof StoreRefusal) return { kind: 'refused', message };
  const isOurs = error instanceof StoreOpenError || error instanceof KeyFileError;
  // The system's, such as a folder that is not there or a disk that is full.
  const isSystems = 'code' in error && 'syscall' in error;
  if (isOurs || isSystems) return { kind: 'failed', message };
  const said = readSqliteFailure(error) === undefined ? readPostgresMessage(error) : message;
  if (said === undefined) return undefined;
  return {
    kind: 'failed',
    message: `The database failed: ${said}. Look at its disk and its log, then run the command again.`,
  };
}

/** By name, because the driver may not be loaded. */
function readPostgresMessage(error: Error): string | undefined {
  return error.name === 'PostgresError' ? error.message : undefined;
}
