/** Owns what can be configured: every variable with its default, its check and what to do when it is wrong. */
import { availableParallelism } from 'node:os';

import leven from 'leven';
import { z } from 'zod';

import { parseAddressBlock } from './http/client-address.ts';
import type { AddressBlock } from './http/client-address.ts';
import { EncryptionKeysError, parseEncryptionKeys } from './store/keyring.ts';
import type { Keyring } from './store/keyring.ts';
import { readTraceSettings } from './telemetry/trace-settings.ts';
import type { ReadTraceSettings } from './telemetry/trace-settings.ts';
import { parsePostgresUrl, PostgresAddressError } from './store/postgres-address.ts';

/** All `CLAIMGATE_*` variables of the server; docs/configuration.md explains each, and a test compares the two. */
const variables = {
  CLAIMGATE_HOST: z.string().min(1).default('127.0.0.1'),
  CLAIMGATE_PORT: createPort().default(8080),
  CLAIMGATE_PUBLIC_URL: z.string().transform(parsePublicUrl).optional(),
  CLAIMGATE_WORKERS: createCount(1, 0, 256).transform((count) => count || availableParallelism()),
  CLAIMGATE_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be trace, debug, info, warn, error or silent',
    })
    .default('info'),
  CLAIMGATE_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  CLAIMGATE_METRICS_PORT: createPort().optional(),
  CLAIMGATE_TLS_CERT: z.string().min(1).optional(),
  CLAIMGATE_TLS_KEY: z.string().min(1).optional(),
  CLAIMGATE_ALLOWED_ORIGINS: z.string().default('').transform(parseOrigins),
  CLAIMGATE_PUBLIC_SCHEMA: createFlag('true'),
  CLAIMGATE_DATABASE_URL: z
    .string()
    .default('sqlite:./data/claimgate.db')
    .transform(parseDatabaseUrl),
  CLAIMGATE_ENCRYPTION_KEYS: z.string().transform(parseKeys).optional(),
  CLAIMGATE_BOOTSTRAP_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{24,512}$/, 'must have 24 to 512 printable ASCII characters without spaces')
    .optional(),
  CLAIMGATE_DNS_SERVERS: z.string().transform(parseDnsServers).optional(),
  CLAIMGATE_TRUSTED_PROXIES: z.string().default('').transform(parseAddressBlocks),
  CLAIMGATE_RETURN_TO_ORIGINS: z.string().default('').transform(parseOrigins),
  CLAIMGATE_SESSION_IDLE_MINUTES: createCount(8 * 60, 1, 365 * 24 * 60),
  CLAIMGATE_SESSION_MAX_MINUTES: createCount(24 * 60, 1, 365 * 24 * 60),
  CLAIMGATE_LOGIN_ATTEMPT_CLAIMS: createCount(200, 0, 10_000),
  CLAIMGATE_LOGIN_ATTEMPT_DAYS: createCount(30, 0, 3650),
  CLAIMGATE_SIGN_IN_DAYS: createCount(7, 1, 3650),
  CLAIMGATE_AUDIT_DAYS: createCount(365, 1, 3650),
  CLAIMGATE_ALLOW_HTTP_ISSUERS: createFlag(),
  CLAIMGATE_ALLOW_PRIVATE_ISSUERS: createFlag(),
};

/** Read by the command line client alone, so the server lets them stand. */
const CLIENT_VARIABLES: ReadonlySet<string> = new Set(['CLAIMGATE_URL', 'CLAIMGATE_TOKEN']);

const PREFIX = 'CLAIMGATE_';

const MINUTE_MS = 60_000;

export type DatabaseConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  /** Holds the password. */
  | { readonly kind: 'postgres'; readonly url: string };

export interface Config {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What URLs that we make are built from, without a trailing slash; derived from where we listen when absent. */
  readonly publicUrl: string | undefined;
  /** Processes that serve the port; at least 1. */
  readonly workers: number;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly metricsHost: string;
  /** Metrics are off when absent; 0 picks a free one. */
  readonly metricsPort: number | undefined;
  /** Of OpenTelemetry's own variables: whether and how traces are recorded. */
  readonly traces: ReadTraceSettings;
  /** Files in PEM form. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Origins whose pages may call us. */
  /** Whether reflection, `/openapi.json` and `/docs` answer. */
  readonly publicSchema: boolean;
  readonly allowedOrigins: readonly string[];
  readonly database: DatabaseConfig;
  /** Those of the key file next to the SQLite database when absent. */
  readonly encryptionKeys: Keyring | undefined;
  readonly bootstrapToken: string | undefined;
  /** The system's when absent. */
  readonly dnsServers: readonly string[] | undefined;
  /** Whose `X-Forwarded-For` counts. */
  readonly trustedProxies: readonly AddressBlock[];
  /** Origins, besides our own, that a browser may be sent to after it has signed in or out. */
  readonly returnToOrigins: readonly string[];
  readonly sessionLifetime: { readonly idleMs: number; readonly absoluteMs: number };
  readonly attemptRetention: { readonly claimsPerConfiguration: number; readonly maxAgeMs: number };
  readonly auditRetention: { readonly maxAgeMs: number; readonly signInMaxAgeMs: number };
  /** Insecure; for development. */
  readonly allowHttpIssuers: boolean;
  /** Insecure; for development. */
  readonly allowPrivateIssuers: boolean;
}

/** Holds every mistake at once, one a line. No value is repeated: it may be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`,
    );
    this.mistakes = mistakes;
  }
}

/** Parses the environment. An empty value is the same as none. Throws `ConfigError`. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name.startsWith(PREFIX) && value !== undefined && value !== '',
    ),
  );
  const mistakes = Object.keys(given)
    .filter((name) => !(name in variables) && !CLIENT_VARIABLES.has(name))
    .map((name) => `${name} is not a variable of ours${suggestName(name)}`);
  const parsed = z.object(variables).safeParse(given);
  for (const issue of parsed.error?.issues ?? [])
    mistakes.push(`${issue.path.join('.')} ${issue.message}`);
  if ((given['CLAIMGATE_TLS_CERT'] === undefined) !== (given['CLAIMGATE_TLS_KEY'] === undefined)) {
    mistakes.push('CLAIMGATE_TLS_CERT and CLAIMGATE_TLS_KEY go together: set both or neither');
  }
  if (
    parsed.data?.CLAIMGATE_DATABASE_URL.kind === 'postgres' &&
    parsed.data.CLAIMGATE_ENCRYPTION_KEYS === undefined
  ) {
    // Each process would make a key of its own, and could not read what the others have stored.
    mistakes.push(
      'CLAIMGATE_ENCRYPTION_KEYS is needed with PostgreSQL, the same for all processes: set it to k1: and what "openssl rand -base64 32" prints, once and for all',
    );
  }
  if (parsed.data === undefined || mistakes.length > 0) throw new ConfigError(mistakes);
  const { data } = parsed;
  return {
    host: data.CLAIMGATE_HOST,
    port: data.CLAIMGATE_PORT,
    publicUrl: data.CLAIMGATE_PUBLIC_URL,
    workers: data.CLAIMGATE_WORKERS,
    logLevel: data.CLAIMGATE_LOG_LEVEL,
    traces: readTraceSettings(environment),
    metricsHost: data.CLAIMGATE_METRICS_HOST,
    metricsPort: data.CLAIMGATE_METRICS_PORT,
    tls:
      data.CLAIMGATE_TLS_CERT === undefined || data.CLAIMGATE_TLS_KEY === undefined
        ? undefined
        : { certFile: data.CLAIMGATE_TLS_CERT, keyFile: data.CLAIMGATE_TLS_KEY },
    publicSchema: data.CLAIMGATE_PUBLIC_SCHEMA,
    allowedOrigins: data.CLAIMGATE_ALLOWED_ORIGINS,
    database: data.CLAIMGATE_DATABASE_URL,
    encryptionKeys: data.CLAIMGATE_ENCRYPTION_KEYS,
    bootstrapToken: data.CLAIMGATE_BOOTSTRAP_TOKEN,
    dnsServers: data.CLAIMGATE_DNS_SERVERS,
    trustedProxies: data.CLAIMGATE_TRUSTED_PROXIES,
    returnToOrigins: data.CLAIMGATE_RETURN_TO_ORIGINS,
    sessionLifetime: {
      idleMs: data.CLAIMGATE_SESSION_IDLE_MINUTES * MINUTE_MS,
      absoluteMs: data.CLAIMGATE_SESSION_MAX_MINUTES * MINUTE_MS,
    },
    attemptRetention: {
      claimsPerConfiguration: data.CLAIMGATE_LOGIN_ATTEMPT_CLAIMS,
      maxAgeMs: data.CLAIMGATE_LOGIN_ATTEMPT_DAYS * 24 * 60 * MINUTE_MS,
    },
    auditRetention: {
      maxAgeMs: data.CLAIMGATE_AUDIT_DAYS * 24 * 60 * MINUTE_MS,
      signInMaxAgeMs: data.CLAIMGATE_SIGN_IN_DAYS * 24 * 60 * MINUTE_MS,
    },
    allowHttpIssuers: data.CLAIMGATE_ALLOW_HTTP_ISSUERS,
    allowPrivateIssuers: data.CLAIMGATE_ALLOW_PRIVATE_ISSUERS,
  };
}

/** A URL as in CLAIMGATE_DATABASE_URL, given elsewhere. Throws `ConfigError`. @param name where, for the message */
export function parseDatabase(name: string, url: string): DatabaseConfig {
  const parsed = z.string().transform(parseDatabaseUrl).safeParse(url);
  if (parsed.data !== undefined) return parsed.data;
  const mistakes = parsed.error?.issues.map(({ message }) => `${name} ${message}`) ?? [];
  throw new ConfigError(mistakes);
}

/** The names of the server's variables. */
export const variableNames: readonly string[] = Object.keys(variables);

function createPort() {
  return z
    .string()
    .refine(
      (port) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535,
      'must be a port number; 0 picks a free one',
    )
    .transform(Number);
}

function createFlag(fallback: 'true' | 'false' = 'false') {
  return z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default(fallback)
    .transform((value) => value === 'true');
}

/** A whole number within bounds. */
function createCount(fallback: number, min: number, max: number) {
  return z
    .string()
    .default(String(fallback))
    .refine((value) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);
}

function parsePublicUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const plain =
    url !== undefined &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  if (plain && (url.protocol === 'https:' || url.protocol === 'http:'))
    return url.href.replace(/\/+$/, '');
  return reportMistake(
    context,
    'must be an http or https URL such as https://sso.example.com, without query, fragment and user',
  );
}

function parseOrigins(value: string, context: z.RefinementCtx): readonly string[] {
  const origins = splitList(value);
  for (const origin of origins) {
    if (URL.canParse(origin) && new URL(origin).origin === origin && !origin.includes('*'))
      continue;
    return reportMistake(
      context,
      'must be origins separated by commas, each just scheme, host and port such as https://app.example.com, without a slash at the end; * is not one',
    );
  }
  return origins;
}

function parseDatabaseUrl(value: string, context: z.RefinementCtx): DatabaseConfig {
  if (/^postgres(?:ql)?:/.test(value)) return parsePostgres(value, context);
  const [, file] = /^sqlite:(?:\/\/)?(.+)$/.exec(value) ?? [];
  if (file !== undefined) return { kind: 'sqlite', file };
  return reportMistake(
    context,
    'must be sqlite:PATH, such as sqlite:./data/claimgate.db, or postgres://USER:PASSWORD@HOST/DATABASE',
  );
}

function parsePostgres(url: string, context: z.RefinementCtx): DatabaseConfig {
  try {
    parsePostgresUrl(url);
    return { kind: 'postgres', url };
  } catch (error) {
    if (!(error instanceof PostgresAddressError)) throw error;
    return reportMistake(context, error.message);
  }
}

function parseDnsServers(value: string, context: z.RefinementCtx): readonly string[] {
  const servers = splitList(value);
  const known =
    /^(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/;
  if (servers.length > 0 && servers.every((server) => known.test(server))) return servers;
  return reportMistake(
    context,
    'must be IP addresses separated by commas, each with :port if it is not 53, IPv6 ones with a port in brackets',
  );
}

function parseKeys(value: string, context: z.RefinementCtx): Keyring {
  try {
    return parseEncryptionKeys(value);
  } catch (error) {
    if (!(error instanceof EncryptionKeysError)) throw error;
    return reportMistake(context, `cannot be used: ${error.message}`);
  }
}

function parseAddressBlocks(value: string, context: z.RefinementCtx): readonly AddressBlock[] {
  const blocks = splitList(value).map(parseAddressBlock);
  const known = blocks.filter((block) => block !== undefined);
  if (known.length === blocks.length) return known;
  return reportMistake(
    context,
    'must be IP addresses or blocks such as 10.0.0.0/8, separated by commas',
  );
}

function splitList(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function reportMistake(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function suggestName(name: string): string {
  const [near] = variableNames
    .map((known) => ({ known, distance: leven(known, name) }))
    .filter(({ distance }) => distance <= 3)
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ known }) => known);
  return near === undefined
    ? '; docs/configuration.md lists those that are'
    : `; did you mean ${near}?`;
}
