/**
 * Owns what an implementation may know of its call: the HandlerContext of connect-es, made piece by piece when it is
 * asked for. It refuses to decide anything.
 */
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextValues } from '@connectrpc/connect';
import type { ContextValues, HandlerContext } from '@connectrpc/connect';
import { closingOf } from './exchange.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { LazyHeaders } from './lazy-headers.ts';

export interface UnaryContextInit {
  readonly method: DescMethod;
  readonly protocolName: string;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** By `performance.now()`. */
  readonly deadline: number | undefined;
  /** Made for this call alone; `sentHeader` may give it away. */
  readonly initialHeader: Record<string, string | string[]>;
  readonly initialTrailer: Readonly<Record<string, string>>;
  readonly contextValues: ((request: HttpRequest) => ContextValues) | undefined;
  readonly shutdownSignal: AbortSignal | undefined;
}

/**
 * The one class that is not an error. Measured: this costs 0.04 µs for each call, an object literal with the same
 * accessors 3.6 µs, and having all of it ready (three `Headers`, an AbortController, aborted at the end, a URL) 3 µs.
 * Its accessors are not own properties: a copy by `{...context}` has none of them.
 */
export class UnaryContext implements HandlerContext {
  readonly #init: UnaryContextInit;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;
  #abort: AbortController | undefined;
  /** Why the signal is, or would be, aborted. */
  #ended: { readonly reason: unknown } | undefined;
  /** Ends the watching of those who may end the call. */
  #unwatch: (() => void) | undefined;

  constructor(init: UnaryContextInit) {
    this.#init = init;
  }

  get method(): DescMethod {
    return this.#init.method;
  }
  get service(): DescService {
    return this.#init.method.parent;
  }
  get protocolName(): string {
    return this.#init.protocolName;
  }
  get requestMethod(): string {
    return this.#init.request.method ?? '';
  }
  get url(): string {
    return urlOf(this.#init.request);
  }
  get timeoutMs(): () => number | undefined {
    const { deadline } = this.#init;
    return () => (deadline === undefined ? undefined : deadline - performance.now());
  }
  get requestHeader(): Headers {
    return (this.#requestHeader ??= new LazyHeaders(this.#init.request.headers));
  }
  get responseHeader(): Headers {
    return (this.#responseHeader ??= new LazyHeaders(this.#init.initialHeader));
  }
  get responseTrailer(): Headers {
    return (this.#responseTrailer ??= new LazyHeaders(this.#init.initialTrailer));
  }
  get values(): ContextValues {
    return (this.#values ??=
      this.#init.contextValues?.(this.#init.request) ?? createContextValues());
  }
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#ended === undefined) this.#watch();
      else this.#abort.abort(this.#ended.reason);
    }
    return this.#abort.signal;
  }

  #watch(): void {
    const { response, shutdownSignal } = this.#init;
    const endByClient = () =>
      this.end(new ConnectError('the client ended the call', Code.Canceled));
    const endByShutdown = () => this.end(shutdownSignal?.reason);
    if (shutdownSignal?.aborted === true) return endByShutdown();
    const closing = closingOf(response);
    closing.once('close', endByClient);
    shutdownSignal?.addEventListener('abort', endByShutdown);
    this.#unwatch = () => {
      closing.off('close', endByClient);
      shutdownSignal?.removeEventListener('abort', endByShutdown);
    };
  }

  /** Ends the call for whoever watches its signal; the first reason stays. */
  end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.#unwatch?.();
    this.#abort?.abort(reason);
  }

  /** Takes the headers that an interceptor gave instead of ours. */
  replaceResponse(header: Headers, trailer: Headers): void {
    this.#responseHeader = header;
    this.#responseTrailer = trailer;
  }
  /** The header to send, as names and values. Whoever gets it may add to it. */
  sentHeader(): Record<string, string | string[]> {
    return writeHeaders(this.#responseHeader, this.#init.initialHeader);
  }
  sentTrailer(): Readonly<Record<string, string | string[]>> {
    return writeHeaders(this.#responseTrailer, this.#init.initialTrailer);
  }
}

function writeHeaders<Initial extends Readonly<Record<string, string | string[]>>>(
  headers: Headers | undefined,
  initial: Initial,
): Initial | Record<string, string | string[]> {
  if (headers === undefined) return initial;
  if (headers instanceof LazyHeaders && headers.isUntouched) return initial;
  return toNodeHeaders(headers, initial);
}

export function toNodeHeaders(
  headers: Headers,
  initial: Readonly<Record<string, string | string[]>>,
): Record<string, string | string[]> {
  // What is missing in headers that were put in place of ours is ours again: no answer lacks its content type.
  const sent: Record<string, string | string[]> = { ...initial };
  headers.forEach((value, name) => {
    if (name !== 'set-cookie') sent[name] = value;
  });
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) sent['set-cookie'] = cookies;
  return sent;
}

/** Never used to make a URL of ours: the authority is whatever the caller wrote. */
function urlOf(request: HttpRequest): string {
  const scheme = 'encrypted' in request.socket && request.socket.encrypted ? 'https' : 'http';
  const authority = 'authority' in request ? request.authority : request.headers.host;
  const path = request.url ?? '';
  // HTTP/1.0 need not name an authority, and HTTP/1.1 may name one that is none; RFC 2606 §2 keeps this name free.
  const base = `${scheme}://${authority ?? ''}`;
  return new URL(path, URL.canParse(path, base) ? base : `${scheme}://invalid`).toString();
}
