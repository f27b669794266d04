/** Owns looking at what the server is told to be: its configuration, its certificate, its port and its public URL. */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { Config } from '../config.ts';
import { loadTlsFiles, TlsFileError } from '../tls-files.ts';
import type { TlsFiles } from '../tls-files.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Before a certificate ends, in days. */
const RENEW_DAYS = 21;
/** For one connection or answer, in milliseconds. */
const PATIENCE = 5_000;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export function checkConfiguration(config: Config): readonly Finding[] {
  const { publicUrl, allowHttpIssuers, allowPrivateIssuers } = config;
  const findings: Finding[] = [];
  const insecure = [
    ...(allowHttpIssuers ? ['CLAIMGATE_ALLOW_HTTP_ISSUERS'] : []),
    ...(allowPrivateIssuers ? ['CLAIMGATE_ALLOW_PRIVATE_ISSUERS'] : []),
  ];
  if (insecure.length > 0) {
    findings.push(
      warn(
        'configuration',
        `${insecure.join(' and ')} are on, which is for development.`,
        'Take them out where real people sign in.',
      ),
    );
  }
  if (publicUrl === undefined) {
    findings.push(
      warn(
        'configuration',
        'CLAIMGATE_PUBLIC_URL is not set, so URLs name the address where the server listens.',
        'Set it to what browsers call, such as https://sso.example.com.',
      ),
    );
  } else if (publicUrl.startsWith('http:') && !LOOPBACK.test(new URL(publicUrl).hostname)) {
    findings.push(
      fail(
        'configuration',
        `CLAIMGATE_PUBLIC_URL is ${publicUrl}: without https, sign-in is switched off.`,
        'Put TLS in front, or set CLAIMGATE_TLS_CERT and CLAIMGATE_TLS_KEY, and make it https.',
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok('configuration', 'All variables are known and valid.')];
}

export async function checkTls(config: Config, now: Date): Promise<readonly Finding[]> {
  if (config.tls === undefined) return [];
  try {
    return judgeCertificate(config, await loadTlsFiles(config.tls), now);
  } catch (error) {
    if (!(error instanceof TlsFileError)) throw error;
    return [fail('tls', error.message, 'The server does not start with these files.')];
  }
}

function judgeCertificate(
  { publicUrl }: Config,
  { certificate }: TlsFiles,
  now: Date,
): readonly Finding[] {
  const { validFromDate, validToDate } = certificate;
  const renew = 'Renew it, and restart the server, which reads it once.';
  const days = Math.floor((validToDate.getTime() - now.getTime()) / DAY_MS);
  const span = `The certificate is valid from ${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
  if (days < 0 || validFromDate > now) return [fail('tls', `${span}, not now.`, renew)];
  if (days < RENEW_DAYS) return [warn('tls', `${span}: ${days} days are left.`, renew)];
  const host = publicUrl === undefined ? undefined : new URL(publicUrl).hostname;
  if (host !== undefined && certificate.checkHost(host) === undefined) {
    return [
      warn(
        'tls',
        `The certificate is not for ${host}, the host of CLAIMGATE_PUBLIC_URL.`,
        'Use one that names it, unless a proxy in front has its own.',
      ),
    ];
  }
  return [ok('tls', `${span}, and the key belongs to it.`)];
}

export interface PortCheck {
  readonly findings: readonly Finding[];
  /** Whether something that answers as a server of ours listens. */
  readonly isServing: boolean;
}

export async function checkPort(config: Config): Promise<PortCheck> {
  const { host, port, tls } = config;
  const open = { host: host === '0.0.0.0' || host === '::' ? 'localhost' : host, port };
  const at = `${host}:${port}`;
  if (port === 0 || !(await canConnect(open))) {
    return { isServing: false, findings: [ok('port', `Nothing listens at ${at}: it is free.`)] };
  }
  if (tls === undefined) {
    const name = open.host.includes(':') ? `[${open.host}]` : open.host;
    const answer = await readText(`http://${name}:${port}/healthz`);
    const isServing = answer?.status === 200;
    return {
      isServing,
      findings: [isServing ? ok('port', `A server answers at ${at}.`) : createTaken(at)],
    };
  }
  const seen = await readFingerprint(open);
  if (seen === undefined) return { isServing: false, findings: [createTaken(at)] };
  const files = await loadTlsFiles(tls).catch(() => undefined);
  const isStale = files !== undefined && files.certificate.fingerprint256 !== seen;
  const finding = isStale
    ? warn(
        'port',
        `The server at ${at} shows another certificate than the file has.`,
        'Restart the server: it reads the file once.',
      )
    : ok('port', `A server answers at ${at} with the certificate of the file.`);
  return { isServing: true, findings: [finding] };
}

const createTaken = (at: string): Finding =>
  fail(
    'port',
    `Something listens at ${at} that does not answer as this server does.`,
    'Set CLAIMGATE_PORT to another port, or end the other program.',
  );

export async function checkPublicUrl(
  { publicUrl }: Config,
  isServing: boolean,
): Promise<readonly Finding[]> {
  if (publicUrl === undefined) return [];
  const check = 'public URL';
  const answer = await readText(`${publicUrl}/.well-known/openid-configuration`);
  const issuer = readIssuer(answer?.text ?? '');
  if (issuer === publicUrl)
    return [ok(check, `${publicUrl} leads to a server that calls itself so.`)];
  if (issuer !== undefined) {
    return [
      fail(
        check,
        `${publicUrl} leads to a server that calls itself ${issuer}.`,
        'Set CLAIMGATE_PUBLIC_URL to the same for all servers.',
      ),
    ];
  }
  const seen =
    answer === undefined
      ? `${publicUrl} cannot be reached from here.`
      : `${publicUrl} answers with status ${answer.status}, and not as this server does.`;
  return [
    isServing
      ? fail(check, seen, 'Check DNS, the proxy in front, and that it hands on the whole path.')
      : warn(check, seen, 'No server runs here; if none runs elsewhere, start it and look again.'),
  ];
}

function readIssuer(text: string): string | undefined {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null || !('issuer' in document))
      return undefined;
    return typeof document.issuer === 'string' ? document.issuer : undefined;
  } catch {
    return undefined;
  }
}

/** Of our own server's address, which the operator chose. Issuers are asked by the guarded fetch alone. */
async function readText(
  url: string,
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(url, { signal, redirect: 'manual' });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function canConnect(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ ...place, timeout: PATIENCE });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}

/** Nothing is sent, so nobody need be trusted. */
function readFingerprint(place: Place): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTls({ ...place, rejectUnauthorized: false, timeout: PATIENCE });
    const end = (fingerprint?: string): void => {
      socket.destroy();
      resolve(fingerprint);
    };
    socket.once('secureConnect', () => end(socket.getPeerCertificate().fingerprint256));
    socket.once('timeout', () => end());
    socket.once('error', () => end());
  });
}
