// Owns the patience with one HTTP/2 session: silent, idle, stuck, leaving. HTTP/2 in Node has no timeout of its
// own but one that any byte extends. Refuses to own requests and responses.
//
//   opened ──SETTINGS──▶ idle ⇄ busy ──drain(), or idle too long──▶ leaving ──quiet, or grace over──▶ closing ──▶ gone
//     │ too late                                        new requests are held           GOAWAY, then     │ too late
//     ▼                                                                                 they all run     ▼
//    cut                                                                                                cut
//
// Why requests are held while leaving: a GOAWAY crosses what the client has just sent, and such requests are
// refused; the protocol calls that safe to repeat, but not every client does. A GOAWAY that still lets them in
// (RFC 9113, 6.8) cannot be had: after any that Node sends, nghttp2 takes no new stream, whatever last stream it named.
// But a caller who waits for an answer sends nothing. So answers to new requests wait, for a fraction of a
// second, until no more come; then the GOAWAY names the last one, and they are all served.
import { constants } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ListenerLimits } from './listener-limits.ts';

export type GuardedSession = {
  /** Runs a request that came by this session: at once, or, while leaving, after the GOAWAY. */
  readonly admit: (run: () => void) => void;
  /** Serves what is open and what is on its way, then ends the session. */
  readonly drain: () => void;
  /** Gives up one stream, and the whole session if the peer does not even take that. */
  readonly cancel: (stream: ServerHttp2Stream) => void;
};

/** How long a peer may take to accept that its stream, or its session, is over. */
const farewellMs = 2_000;

export function guardSession(
  session: ServerHttp2Session,
  socket: Socket,
  limits: ListenerLimits,
): GuardedSession {
  let state: 'serving' | 'leaving' | 'closing' = 'serving';
  let openStreams = 0;
  let held: (() => void)[] = [];
  let grace: NodeJS.Timeout | undefined;
  let timer = setTimeout(cut, limits.silentSocketTimeoutMs);

  function wait(milliseconds: number, then: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(then, milliseconds);
  }

  /** What to wait for next, after anything has happened. */
  function carryOn(): void {
    clearTimeout(timer);
    if (session.destroyed && socket.destroyed) {
      return;
    }
    if (state === 'leaving') {
      wait(Math.ceil(limits.drainGraceMs / 5), close);
    } else if (state === 'closing') {
      // Also waits for the peer to close its side.
      wait(openStreams === 0 ? farewellMs : limits.exchangeTimeoutMs, cut);
    } else if (openStreams === 0) {
      wait(limits.http2IdleTimeoutMs, leave);
    }
  }

  function leave(): void {
    if (state === 'serving') {
      state = 'leaving';
      grace = setTimeout(close, limits.drainGraceMs);
      carryOn();
    }
  }

  function close(): void {
    if (state === 'closing') {
      return;
    }
    state = 'closing';
    clearTimeout(grace);
    if (!session.destroyed) {
      session.close();
    }
    carryOn();
    for (const run of held) {
      run();
    }
    held = [];
  }

  function cut(): void {
    session.destroy();
    // It waits until all is written, which a peer that does not read can put off for ever.
    const last = setTimeout(() => socket.destroy(), farewellMs);
    socket.once('close', () => clearTimeout(last));
  }

  session.once('remoteSettings', carryOn);
  session.on('stream', (stream) => {
    openStreams += 1;
    carryOn();
    stream.once('close', () => {
      openStreams -= 1;
      carryOn();
    });
  });
  socket.once('close', () => {
    clearTimeout(grace);
    clearTimeout(timer);
  });

  return {
    drain: leave,
    admit(run) {
      if (state === 'leaving') {
        held.push(run);
      } else {
        run();
      }
    },
    cancel(stream) {
      if (stream.destroyed) {
        return;
      }
      stream.close(constants.NGHTTP2_CANCEL);
      const giveUp = setTimeout(cut, farewellMs);
      stream.once('close', () => clearTimeout(giveUp));
    },
  };
}
