/**
 * Owns every request that goes out to a customer's identity provider. The customer chose the URL, so the request may
 * reach nothing but the public internet, and the answer may cost nothing but what is written here.
 *
 *     check URL ──▶ resolve once, judge all addresses ──▶ connect to those ──▶ headers ≤ 16 KiB ──▶ body ≤ 1 MiB
 *     └──────────────────── connected in 3 s ────────────────────────┘                                         │
 *     └──────────────────────────────────────────── all in 10 s ───────────────────────────────────────────────┘
 *
 * It follows no redirect, keeps no cookie, and takes no proxy from the environment.
 *
 * On `node:http` rather than undici: the header limit, the resolver and the deadline are then options of one request
 * instead of a dispatcher's, and nothing is decompressed but here, where it is counted.
 */
import { request as requestHttp, Agent as HttpAgent } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as requestHttps, Agent as HttpsAgent } from 'node:https';
import type { IdpRequestKind, WatchIdpRequest } from '../domain/observation.ts';
import { judgeAddress } from './address-rules.ts';
import { GuardedFetchError } from './guarded-fetch-error.ts';
import { createGuardedLookup, resolveWithSystem } from './guarded-lookup.ts';
import type { JudgeAddress, ResolveAddresses } from './guarded-lookup.ts';
import { checkOutboundUrl } from './outbound-url.ts';
import type { OutboundRules } from './outbound-url.ts';
import { readBoundedBody } from './read-bounded-body.ts';

export interface OutboundLimits {
  /** From the call until the connection stands, TLS included, in milliseconds. */
  readonly connectMs: number;
  /** From the call until the last byte of the answer, in milliseconds. */
  readonly totalMs: number;
  /** The answer's headers, in bytes. */
  readonly headerBytes: number;
  /** The answer's body, in bytes, as received and as decompressed. */
  readonly bodyBytes: number;
}

export const DEFAULT_OUTBOUND_LIMITS: OutboundLimits = {
  connectMs: 3_000,
  totalMs: 10_000,
  headerBytes: 16 * 1024,
  bodyBytes: 1024 * 1024,
};

export interface GuardedFetchOptions extends OutboundRules {
  readonly limits?: Partial<OutboundLimits>;
  /** The system's resolver unless given. */
  readonly resolve?: ResolveAddresses;
  /** The rules of `address-rules.ts` unless given, which only a test has reason to. */
  readonly judge?: JudgeAddress;
  /** Sees each request that says what it is for. */
  readonly watch?: WatchIdpRequest | undefined;
}

export interface OutboundRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What it is for. */
  readonly kind?: IdpRequestKind;
  /** Ends it before its own time is over. */
  readonly signal?: AbortSignal;
}

export interface GuardedFetch {
  readonly rules: OutboundRules;
  /** Resolves to the whole answer, whatever its status, 3xx excepted. Fails with `GuardedFetchError` only. */
  fetch(url: string, request?: OutboundRequest): Promise<Response>;
  /** Fails with `GuardedFetchError` where `fetch` would without resolving the name. */
  checkUrl(url: string): void;
  /** Drops the connections that are kept for reuse. Requests under way fail. */
  close(): void;
}

/** Idle connections go before most servers drop theirs (Node: 5 s), so that few requests meet a closing one. */
const KEEP_IDLE_MS = 4_000;
const SOCKETS_PER_HOST = 128;
const USER_AGENT = 'claimgate';

/** What is handed on of an answer's headers. Cookies are not. */
const PASSED_HEADERS = ['content-type', 'www-authenticate', 'date'] as const;
/** Parsing a longer challenge costs time and tells nothing more. */
const PASSED_HEADER_LENGTH = 2_048;

export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const limits = { ...DEFAULT_OUTBOUND_LIMITS, ...options.limits };
  const rules: OutboundRules = { allowHttp: options.allowHttp, allowPrivate: options.allowPrivate };
  const judge = options.judge ?? ((address: string) => judgeAddress(address, rules));
  const kept = { keepAlive: true, timeout: KEEP_IDLE_MS, maxSockets: SOCKETS_PER_HOST };
  const fresh = { keepAlive: false, maxSockets: SOCKETS_PER_HOST };
  const agents = {
    GET: { http: new HttpAgent(kept), https: new HttpsAgent(kept) },
    // A connection of its own: on a kept one that the server is just closing, nobody can tell whether the code that
    // was sent has been spent. TLS sessions are resumed all the same.
    POST: { http: new HttpAgent(fresh), https: new HttpsAgent(fresh) },
  };
  const fixed: RequestOptions = {
    lookup: createGuardedLookup(options.resolve ?? resolveWithSystem, judge),
    maxHeaderSize: limits.headerBytes,
  };

  const send = (url: URL, request: OutboundRequest, signal: AbortSignal): ClientRequest => {
    const { method = 'GET' } = request;
    const requestOptions: RequestOptions = {
      ...fixed,
      method,
      headers: { ...request.headers, 'accept-encoding': 'identity', 'user-agent': USER_AGENT },
      signal,
    };
    const { http, https } = agents[method];
    return url.protocol === 'https:'
      ? // Said here so that NODE_TLS_REJECT_UNAUTHORIZED=0 cannot unsay it.
        requestHttps(url, { ...requestOptions, agent: https, rejectUnauthorized: true })
      : requestHttp(url, { ...requestOptions, agent: http });
  };

  const fetch = async (text: string, request: OutboundRequest): Promise<Response> => {
    const url = checkOutboundUrl(text, rules);
    const deadline = createDeadline(limits, request.signal);
    const attempt = (): Promise<Response> =>
      exchange(send(url, request, deadline.signal), request.body, limits, deadline);
    try {
      return await attempt().catch((error: unknown) => {
        // The server closed an idle connection while we wrote to it. Only a GET can meet one.
        if (error instanceof StaleConnection) return attempt();
        throw error;
      });
    } catch (error) {
      throw deadline.reason() ?? toGuardedFetchError(error);
    } finally {
      deadline.end();
    }
  };

  return {
    rules,
    checkUrl: (url) => void checkOutboundUrl(url, rules),
    fetch(text, request = {}) {
      const { kind } = request;
      return options.watch === undefined || kind === undefined
        ? fetch(text, request)
        : options.watch(kind, () => fetch(text, request));
    },
    close() {
      for (const { http, https } of Object.values(agents)) {
        http.destroy();
        https.destroy();
      }
    },
  };
}

/** A kept connection turned out to be closed before any answer came. */
class StaleConnection extends Error {}

async function exchange(
  request: ClientRequest,
  body: string | undefined,
  limits: OutboundLimits,
  deadline: Deadline,
): Promise<Response> {
  try {
    const response = await awaitResponse(request, body, deadline);
    const status = response.statusCode ?? 0;
    if (status >= 300 && status < 400) {
      throw new GuardedFetchError(
        'redirected',
        `The answer is a redirect (status ${status}), and none is followed.`,
      );
    }
    if (status < 200 || status > 599) {
      throw new GuardedFetchError('protocol_error', `The answer has status ${status}.`);
    }
    const bytes = await readBoundedBody(response, limits.bodyBytes);
    const hasBody = status !== 204 && status !== 205;
    return new Response(hasBody ? new Uint8Array(bytes) : null, {
      status,
      headers: passHeaders(response),
    });
  } catch (error) {
    request.destroy();
    throw error;
  }
}

function awaitResponse(
  request: ClientRequest,
  body: string | undefined,
  deadline: Deadline,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let isAnswered = false;
  request.on('response', (response) => {
    isAnswered = true;
    resolve(response);
  });
  request.on('error', (error) => {
    const isStale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
    reject(isStale ? new StaleConnection() : error);
  });
  request.on('upgrade', (_response, socket) => {
    socket.destroy();
    reject(new GuardedFetchError('protocol_error', 'The answer switches to another protocol.'));
  });
  // Whatever else ends a request without a word.
  request.on('close', () => {
    if (isAnswered) return;
    reject(new GuardedFetchError('connect_failed', 'The connection ended without an answer.'));
  });
  request.on('socket', (socket) => {
    if (request.reusedSocket) return deadline.connected();
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => deadline.connected());
  });
  request.end(body);
  return promise;
}

function passHeaders(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (const name of PASSED_HEADERS) {
    const value = response.headers[name];
    if (value !== undefined && value.length <= PASSED_HEADER_LENGTH) headers.set(name, value);
  }
  return headers;
}

interface Deadline {
  readonly signal: AbortSignal;
  connected(): void;
  /** Why the signal was aborted; `undefined` when it was not. */
  reason(): GuardedFetchError | undefined;
  end(): void;
}

function createDeadline(limits: OutboundLimits, callerSignal: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let reason: GuardedFetchError | undefined;
  const abort = (error: GuardedFetchError): void => {
    reason ??= error;
    controller.abort(error);
  };
  const onCallerAbort = (): void =>
    abort(new GuardedFetchError('aborted', 'The time for all requests together was over.'));
  const connectTimer = setTimeout(
    () =>
      abort(
        new GuardedFetchError('connect_timeout', `No connection within ${limits.connectMs} ms.`),
      ),
    limits.connectMs,
  );
  const totalTimer = setTimeout(
    () =>
      abort(new GuardedFetchError('timeout', `No complete answer within ${limits.totalMs} ms.`)),
    limits.totalMs,
  );
  callerSignal?.addEventListener('abort', onCallerAbort, { once: true });
  if (callerSignal?.aborted === true) onCallerAbort();
  return {
    signal: controller.signal,
    connected: () => clearTimeout(connectTimer),
    reason: () => reason,
    end() {
      clearTimeout(connectTimer);
      clearTimeout(totalTimer);
      callerSignal?.removeEventListener('abort', onCallerAbort);
    },
  };
}

const TLS_CODE =
  /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO$)/;

/** Node's errors name addresses, so their messages are not passed on; their codes are. */
function toGuardedFetchError(error: unknown): GuardedFetchError {
  if (error instanceof GuardedFetchError) return error;
  const code = readCode(error);
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new GuardedFetchError('headers_too_large', 'The headers of the answer are too large.');
  }
  if (TLS_CODE.test(code)) {
    return new GuardedFetchError('tls_failed', `No trusted TLS connection (${code}).`);
  }
  if (code.startsWith('HPE_') || code.startsWith('Z_') || code.startsWith('ERR_')) {
    return new GuardedFetchError('protocol_error', `The answer cannot be read (${code}).`);
  }
  return new GuardedFetchError('connect_failed', `The connection failed (${code}).`);
}

function readCode(error: unknown): string {
  // Several addresses were tried, and each failed.
  if (error instanceof AggregateError) return readCode(error.errors[0]);
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return error instanceof StaleConnection ? 'ECONNRESET' : 'unknown';
}
