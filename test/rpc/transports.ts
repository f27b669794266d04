// Owns the ways in which a call can travel: every protocol that we serve, in JSON and in binary.
import type { Interceptor, Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';

export interface TransportOptions {
  readonly baseUrl: string;
  readonly useBinaryFormat: boolean;
  readonly interceptors: Interceptor[];
}

export const TRANSPORTS: Readonly<Record<string, (options: TransportOptions) => Transport>> = {
  'Connect on HTTP/1.1': (options) => createConnectTransport({ ...options, httpVersion: '1.1' }),
  'Connect on HTTP/2': (options) => createConnectTransport({ ...options, httpVersion: '2' }),
  'Connect by GET where nothing changes': (options) =>
    createConnectTransport({ ...options, httpVersion: '1.1', useHttpGet: true }),
  'gRPC on HTTP/2': (options) => createGrpcTransport(options),
  'gRPC-Web on HTTP/1.1': (options) => createGrpcWebTransport({ ...options, httpVersion: '1.1' }),
  'gRPC-Web on HTTP/2': (options) => createGrpcWebTransport({ ...options, httpVersion: '2' }),
};

export interface Wire {
  /** Such as `gRPC in JSON`. */
  readonly wire: string;
  /** @param headers of each call; empty ones are left out. */
  readonly open: (baseUrl: string, headers: Readonly<Record<string, string>>) => Transport;
}

/** Each protocol once, in both encodings. */
export const WIRES: readonly Wire[] = [
  'Connect on HTTP/1.1',
  'gRPC on HTTP/2',
  'gRPC-Web on HTTP/1.1',
].flatMap((protocol) =>
  ['JSON', 'binary'].map((encoding) => ({
    wire: `${protocol} in ${encoding}`,
    open: (baseUrl: string, headers: Readonly<Record<string, string>>) => {
      const createTransport = TRANSPORTS[protocol];
      if (createTransport === undefined) throw new Error(`no transport ${protocol}`);
      const useBinaryFormat = encoding === 'binary';
      return createTransport({ baseUrl, useBinaryFormat, interceptors: [sendHeaders(headers)] });
    },
  })),
);

export function sendHeaders(headers: Readonly<Record<string, string>>): Interceptor {
  return (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) {
      if (value !== '') request.header.set(name, value);
    }
    return next(request);
  };
}

export function describeBearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}
