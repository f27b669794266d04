/**
 * Owns how those who measure are told of what the spokes do: by names from lists that we know, and never by anything of
 * anybody's. It refuses to own what is made of it.
 */
import type { Awaitable } from './awaitable.ts';

export type IdpRequestKind = 'discovery' | 'jwks' | 'token' | 'userinfo';

/** Sends a request to an identity provider, and sees how it ends. Resolves and fails as `send` does. */
export type WatchIdpRequest = (
  kind: IdpRequestKind,
  send: () => Promise<Response>,
) => Promise<Response>;

/** Sees what is asked of the store. Each resolves and fails as what it runs. */
export interface StoreWatcher {
  /** A question outside of transactions, by the name of its method. */
  readonly read: <Result>(method: string, run: () => Awaitable<Result>) => Awaitable<Result>;
  /**
   * A transaction. Its work tells when it has begun and when it has ended, in between which it does not wait for a turn
   * or for the disk; it may be run again.
   */
  readonly transaction: <Result>(
    run: (tell: (moment: 'begun' | 'worked') => void) => Promise<Result>,
  ) => Promise<Result>;
  /** A durable write that readiness asks for. */
  readonly ping: (run: () => Promise<void>) => Promise<void>;
}

/** Of the connections that transactions use. */
export interface PoolState {
  readonly size: number;
  readonly idle: number;
  /** Transactions that wait for one. */
  readonly waiting: number;
  readonly max: number;
}
