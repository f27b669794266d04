/** Owns what an operator is told when the database file cannot be opened: the cause, and what to do. */
import { NewerSchemaError, UnfinishedCopyError } from './migrate.ts';
import { readSqliteFailure } from './sqlite-errors.ts';
import { StoreOpenError } from './store-open-error.ts';
import { readSystemCode } from './system-code.ts';

type Explanation = readonly [cause: string, advice: string];

const NOT_WRITABLE: Explanation = [
  'it cannot be read and written by this process',
  'Give the user that runs it read and write access to the file, to the -wal and -shm files next to it and to their folder, or set CLAIMGATE_DATABASE_URL to another file.',
];
const NO_SPACE: Explanation = ['there is no space left on its disk', 'Free some and start again.'];
const DAMAGED: Explanation = [
  'the file is damaged',
  'Restore it from a backup, together with its encryption keys.',
];
const OTHER: Explanation = [
  'an unexpected failure, which is attached as the cause',
  'Check the disk, the file and its folder.',
];

export function explainOpenFailure(file: string, error: unknown): StoreOpenError {
  if (error instanceof StoreOpenError) return error;
  const [cause, advice] = explain(error);
  return new StoreOpenError(file, cause, advice, { cause: error });
}

function explain(error: unknown): Explanation {
  if (error instanceof NewerSchemaError) {
    return [
      `it was made by a newer version of this program: ${error.message}`,
      'Start that version or a later one, or restore a backup from before the upgrade.',
    ];
  }
  if (error instanceof UnfinishedCopyError) {
    return [
      error.message,
      'Run the same claimgate migrate again, which goes on where it stopped, or restore a backup into it.',
    ];
  }
  return explainSqlite(error) ?? explainSystem(readSystemCode(error));
}

function explainSqlite(error: unknown): Explanation | undefined {
  const failure = readSqliteFailure(error);
  switch (failure) {
    case 'perm':
    case 'readonly':
    case 'cantopen':
    case 'auth':
      return NOT_WRITABLE;
    case 'full':
      return NO_SPACE;
    case 'corrupt':
      return DAMAGED;
    case 'notadb':
      return [
        'it is no SQLite database, or its beginning is damaged',
        'Set CLAIMGATE_DATABASE_URL to another file, or restore this one from a backup.',
      ];
    case 'busy':
    case 'locked':
    case 'protocol':
      return [
        'another process keeps it locked',
        'End whatever has it open (a backup, a shell), then start again.',
      ];
    case 'ioerr':
      return ['reading or writing it failed', 'Check the disk and its free space.'];
    case 'constraint':
    case 'closed':
    case 'other':
      return OTHER;
    case undefined:
      return undefined;
  }
}

function explainSystem(code = ''): Explanation {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return NOT_WRITABLE;
    case 'ENOSPC':
    case 'EDQUOT':
      return NO_SPACE;
    case 'ENOTDIR':
    case 'EEXIST':
      return [
        'a part of its path is a file and not a folder',
        'Set CLAIMGATE_DATABASE_URL to another file.',
      ];
    default:
      return OTHER;
  }
}
