/** Owns what an operator is told when the PostgreSQL database cannot be used: the cause, and what to do. */
import { NewerSchemaError, UnfinishedCopyError } from './migrate.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { findPostgresError } from './postgres-errors.ts';
import type { PostgresError } from './postgres-errors.ts';
import { EncodingError } from './postgres-migrate.ts';
import { StoreOpenError } from './store-open-error.ts';

type Explanation = readonly [cause: string, advice: string];

const UNTRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_)/;
const UNREADABLE: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EISDIR']);

const OTHER: Explanation = [
  'an unexpected failure, which is attached as the cause',
  "Look at the server's log.",
];

export function explainPostgresFailure(address: PostgresAddress, error: unknown): StoreOpenError {
  const [cause, advice] = explain(address, error);
  return new StoreOpenError(address.name, cause, advice, { cause: error });
}

function explain(address: PostgresAddress, error: unknown): Explanation {
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
  if (error instanceof EncodingError) {
    return [error.message, 'Make another one with ENCODING UTF8.'];
  }
  const known = findPostgresError(error);
  return known === undefined
    ? OTHER
    : (explainCode(address, known) ?? explainFailure(address, known));
}

function explainCode(address: PostgresAddress, error: PostgresError): Explanation | undefined {
  const { code = '', message } = error;
  if (code.startsWith('28')) {
    return [
      `the server does not let the user in: ${message}`,
      'Check user and password in CLAIMGATE_DATABASE_URL, and pg_hba.conf on the server.',
    ];
  }
  if (code === '3D000') return ['the server does not have it', 'Make it with CREATE DATABASE.'];
  if (code === '42501') {
    return [`the user may not do what is needed: ${message}`, 'Make the user its owner.'];
  }
  if (code === '42P07') {
    return [
      `it is in use by another program: ${message}`,
      'Give this program a database of its own.',
    ];
  }
  if (message.includes('does not support SSL')) {
    return [
      'the server does not speak TLS',
      'Turn ssl on there. Add ?sslmode=disable only where nobody else is on the network in between.',
    ];
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return [
      `the certificate of the server is for another host: ${message}`,
      'Name the host that it is for in the URL, or give the server a certificate for this one.',
    ];
  }
  if (UNTRUSTED.test(code)) {
    return [
      `the certificate of the server is not trusted: ${message}`,
      'Name the file of its authority by sslrootcert=FILE.',
    ];
  }
  if (UNREADABLE.has(code) && hasFiles(address)) {
    return [`a file with certificates cannot be read: ${message}`, 'Check the files in the URL.'];
  }
  return undefined;
}

function hasFiles({ tls }: PostgresAddress): boolean {
  return [tls.rootCertFile, tls.certFile, tls.keyFile].some((file) => file !== undefined);
}

function explainFailure({ hosts }: PostgresAddress, error: PostgresError): Explanation {
  switch (error.failure) {
    case 'lost':
    case 'silent':
    case 'undecided':
    case 'closed':
      return [
        `no server answers: ${error.message}`,
        'Check that it runs, and the host and port in CLAIMGATE_DATABASE_URL.',
      ];
    case 'readonly':
      return [
        hosts.length === 1 ? 'it takes no writes' : 'none of its servers takes writes',
        'Name the primary server, or all that may become it, separated by commas.',
      ];
    case 'overloaded':
    case 'busy':
    case 'conflict':
      return [
        `the server is busy: ${error.message}`,
        'Let it take more connections, or start again later.',
      ];
    case 'full':
      return ['there is no space left on its disk', 'Free some and start again.'];
    case 'damaged':
      return ['it is damaged', 'Restore it from a backup, together with its encryption keys.'];
    case 'denied':
    case 'stale':
    case 'text':
    case 'orphan':
    case 'taken':
    case 'other':
      return OTHER;
  }
}
