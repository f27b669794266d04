/** Owns reading the certificate and its key: a mistake in them names the variable, the file and what to do. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

import type { Config } from './config.ts';

export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The first of the chain: the server's own. */
  readonly certificate: X509Certificate;
}

/** The files cannot be used: the message names the variable. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
}

/** Reads both, and sees that they are PEM and belong together. Fails with `TlsFileError`. */
export async function loadTlsFiles(tls: NonNullable<Config['tls']>): Promise<TlsFiles> {
  const cert = await readNamed('CLAIMGATE_TLS_CERT', tls.certFile);
  const key = await readNamed('CLAIMGATE_TLS_KEY', tls.keyFile);
  const certificate = parse(
    () => new X509Certificate(cert),
    `CLAIMGATE_TLS_CERT: ${tls.certFile} holds no certificate in PEM form`,
  );
  const privateKey = parse(
    () => createPrivateKey(key),
    `CLAIMGATE_TLS_KEY: ${tls.keyFile} holds no private key in PEM form, or one that a passphrase protects`,
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TlsFileError(
      `CLAIMGATE_TLS_KEY: ${tls.keyFile} is not the key of the first certificate in ${tls.certFile} (CLAIMGATE_TLS_CERT). The server's own certificate comes first, then those above it.`,
    );
  }
  parse(
    () => createSecureContext({ cert, key }),
    `CLAIMGATE_TLS_CERT: the chain in ${tls.certFile} cannot be used`,
  );
  return { cert, key, certificate };
}

async function readNamed(variable: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TlsFileError(
      `${variable}: the file cannot be read (${reason}). Check its path, and that the user that runs this process may read it.`,
      { cause },
    );
  }
}

function parse<Result>(read: () => Result, message: string): Result {
  try {
    return read();
  } catch (cause) {
    throw new TlsFileError(`${message}.`, { cause });
  }
}
