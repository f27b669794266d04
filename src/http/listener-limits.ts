// Owns every limit of the listener: what it means, its unit, its default, why, and its validation.
// Refuses to own their enforcement, and any limit on what a request says (that is the RPCs' business).

/** How long and how much a peer may ask of the listener. Times are milliseconds, whole numbers. */
export type ListenerLimits = {
  /**
   * Bytes of request line and header fields, on both protocols. Default 16,384: room for a long
   * token and tracing headers, and what Node itself defaults to. HTTP/1.1 answers 431; HTTP/2 announces
   * it as SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, 6.5.2) and refuses the stream.
   */
  readonly headerBytes: number;
  /**
   * Header fields in one HTTP/2 request. Default 128. Header compression lets one byte on the wire
   * stand for a 4 KiB field, so bytes alone do not bound the work.
   */
  readonly http2HeaderFields: number;
  /** HTTP/1.1: until the header section has arrived. Default 10,000. Then 408. */
  readonly headersTimeoutMs: number;
  /** HTTP/1.1: until the whole request has arrived, not below `headersTimeoutMs`. Default 30,000. Then 408. */
  readonly requestTimeoutMs: number;
  /**
   * From a request's headers to the end of its response, on both protocols. Default 30,000. HTTP/2 has
   * no timeout of its own, and HTTP/1.1 none for a peer that does not read its response. HTTP/1.1 answers
   * 408 or 503 if it still can; HTTP/2 cancels the stream.
   */
  readonly exchangeTimeoutMs: number;
  /**
   * HTTP/1.1: how long a connection may idle between requests. Default 65,000: longer than the 60 s
   * that load balancers commonly keep theirs, so that it is they who close, and never with a request on its way.
   */
  readonly keepAliveTimeoutMs: number;
  /**
   * Until a new connection has said which protocol it speaks, has finished its TLS handshake, or, on HTTP/2,
   * has sent its SETTINGS. Each counts by itself; bytes that arrive do not extend it. Default 10,000.
   */
  readonly silentSocketTimeoutMs: number;
  /** HTTP/2: how long a session may have no stream open before it is told to go away. Default 300,000. */
  readonly http2IdleTimeoutMs: number;
  /** HTTP/2 streams open at once in one session. Default 100, the least RFC 9113 (6.5.2) recommends. */
  readonly http2ConcurrentStreams: number;
  /**
   * HTTP/2 streams that a session may have reset in one go ("rapid reset", CVE-2023-44487), before
   * `http2ResetsPerSecond` counts. Default 500. Beyond, the session ends. A client that cancels in earnest does
   * so once per call, and has at most 100 calls open.
   */
  readonly http2ResetBurst: number;
  /** HTTP/2 resets per second that a session earns back. Default 50. */
  readonly http2ResetsPerSecond: number;
  /** HTTP/2 frames that break the protocol without ending the session, before it is ended. Default 100. */
  readonly http2InvalidFrames: number;
  /** MiB that one HTTP/2 session may hold in frames and tables before new streams are refused. Default 10. */
  readonly http2SessionMemoryMiB: number;
  /** Connections at once, whatever they do. Default 10,000. The next ones are closed unanswered. */
  readonly maxConnections: number;
  /** How often HTTP/1.1 looks for connections over their time. Default 1,000: the timeouts are that exact. */
  readonly timeoutCheckIntervalMs: number;
  /**
   * At shutdown: how long an idle connection may still bring a request before it is closed. Default 500, a
   * few round trips: a client that had already sent one gets its answer, and `Connection: close` with it.
   */
  readonly drainGraceMs: number;
};

export const defaultListenerLimits: ListenerLimits = {
  headerBytes: 16_384,
  http2HeaderFields: 128,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  exchangeTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  silentSocketTimeoutMs: 10_000,
  http2IdleTimeoutMs: 300_000,
  http2ConcurrentStreams: 100,
  http2ResetBurst: 500,
  http2ResetsPerSecond: 50,
  http2InvalidFrames: 100,
  http2SessionMemoryMiB: 10,
  maxConnections: 10_000,
  timeoutCheckIntervalMs: 1_000,
  drainGraceMs: 500,
};

/** Node's timers hold no more than this; a longer time would silently become one millisecond. */
const largestLimit = 2 ** 31 - 1;

/**
 * Completes the limits with their defaults.
 * @throws RangeError that lists every mistake: a limit that is no whole number from 1 to 2^31 - 1, or
 * headers that may take longer than their request.
 */
export function resolveListenerLimits(given: Partial<ListenerLimits> = {}): ListenerLimits {
  const limits: ListenerLimits = { ...defaultListenerLimits, ...given };
  const mistakes = Object.entries(limits)
    .filter(([, value]) => !Number.isInteger(value) || value < 1 || value > largestLimit)
    .map(
      ([name, value]) => `${name} must be a whole number from 1 to ${largestLimit}, not ${value}`,
    );
  if (limits.headersTimeoutMs > limits.requestTimeoutMs) {
    mistakes.push('headersTimeoutMs must not exceed requestTimeoutMs');
  }
  if (mistakes.length > 0) {
    throw new RangeError(`Listener limits: ${mistakes.join('; ')}`);
  }
  return limits;
}
