/** Owns the error of outbound requests. Its message is ours: it never quotes what the other side sent. */

/** Every way in which an outbound request can end without an answer that we accept. */
export type GuardedFetchErrorCode =
  | 'url_refused'
  | 'address_refused'
  | 'name_not_found'
  | 'connect_failed'
  | 'connect_timeout'
  | 'tls_failed'
  | 'timeout'
  | 'aborted'
  | 'redirected'
  | 'headers_too_large'
  | 'body_too_large'
  | 'encoding_refused'
  | 'protocol_error';

export class GuardedFetchError extends Error {
  override readonly name = 'GuardedFetchError';
  readonly code: GuardedFetchErrorCode;

  constructor(code: GuardedFetchErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
