/**
 * Owns the port by which a trace is followed through us. It knows names and codes, and has no room for anything of
 * anybody's.
 */

/** What the request says of the trace that it belongs to (https://www.w3.org/TR/trace-context/): as it came. */
export interface IncomingTrace {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/** What is served, by names from lists that we know. */
export type ServedRequest =
  | {
      readonly kind: 'call';
      /** Such as `gitpod.v1.OrganizationService/GetSSOConfiguration`. */
      readonly method: string;
      readonly protocol: 'connect' | 'grpc' | 'grpc-web';
    }
  | {
      readonly kind: 'page';
      readonly method: string;
      /** Such as `/login/{id}`. */
      readonly route: string;
    };

/** The serving of one request, as a part of a trace. */
export interface ServedSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Runs what serves it: what that asks of the store and of identity providers is recorded as its parts. */
  readonly run: <Result>(work: () => Result) => Result;
  /** @param code `ok` or a status code's name; of a page, its HTTP status. @param failed the failing is ours */
  readonly end: (code: string, failed: boolean) => void;
}

export type StartServedSpan = (served: ServedRequest, incoming: IncomingTrace) => ServedSpan;
