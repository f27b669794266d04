/**
 * Owns what a request of a browser and its answer are to this spoke. It refuses to own Node's requests: `http` turns
 * those into these.
 */

/** Headers of a request, under the names that Node gives them. Absent is `undefined`. */
export interface LoginHttpHeaders {
  readonly authorization?: string | undefined;
  /** All of it: several `Cookie` fields of HTTP/2 joined by `; ` (RFC 9113 §8.2.3). */
  readonly cookie?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | undefined;
}

export interface LoginHttpRequest {
  /** Ties what is logged to the answer, which names it. */
  readonly requestId: string;
  /** Of the trace that the browser, or a proxy, named; or that we record. */
  readonly traceId: string | undefined;
  readonly method: string;
  /** Without the query, as it was sent: percent-encoding is left alone. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: LoginHttpHeaders;
  /** The body when it was `application/x-www-form-urlencoded`. */
  readonly form: URLSearchParams | undefined;
  /** The browser's network address, such as `192.0.2.7` or `2001:db8::7`. */
  readonly address: string;
}

export interface LoginHttpResponse {
  readonly status: number;
  /** By lower-case name. A list is one header field for each; `vary` joins what others have put there. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Empty for `HEAD`. */
  readonly body: string;
}
