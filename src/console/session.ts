/** Owns who uses the console: asking the server whose session this is, beginning one with a token, and ending it. */
import { useQuery } from '@tanstack/react-query';

import { ClaimgateError } from '../client/claimgate-error.ts';
import type { ClaimgateErrorCode } from '../client/claimgate-error.ts';
import { BASE_PATH } from './public-url.ts';

export interface ConsoleUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: 'admin' | 'member';
}

export interface ConsoleSession {
  readonly user: ConsoleUser;
  /** The user's own. */
  readonly organizationId: string;
  /** The session may act in all organizations. */
  readonly operator: boolean;
  /** The session may change nothing: it was begun with a read-only token. */
  readonly readOnly: boolean;
  /** What it was begun with. */
  readonly kind: 'sso' | 'token';
}

export const SESSION_KEY = ['session'] as const;

const PATH = `${BASE_PATH}/session`;

/** The session, or `null` when nobody is signed in. */
export function useSessionQuery() {
  return useQuery({ queryKey: SESSION_KEY, queryFn: readSession, staleTime: 60_000 });
}

async function readSession(): Promise<ConsoleSession | null> {
  const response = await send(PATH, {});
  if (response.status === 401) return null;
  return readAnswer<ConsoleSession>(response);
}

/** Trades a token for a session. The token is not kept. */
export async function beginTokenSession(token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  await readAnswer(await send(PATH, { method: 'POST', headers }));
}

/** Ends the session of this browser, and leaves the page: nothing of what it showed stays in memory. */
export async function endSession(): Promise<void> {
  const response = await send(`${BASE_PATH}/logout`, { method: 'POST' });
  if (!response.ok) throw createError(response, 'unavailable', 'Signing out did not work.');
  location.assign(`${BASE_PATH}/`);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { cache: 'no-store', ...init });
  } catch (cause) {
    throw new ClaimgateError('unavailable', 'The server cannot be reached.', { cause });
  }
}

interface ErrorBody {
  readonly code?: ClaimgateErrorCode;
  readonly message?: string;
}

async function readAnswer<Body>(response: Response): Promise<Body> {
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  const body: unknown = isJson ? await response.json() : {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own server's answer
  if (response.ok && isJson) return body as Body;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own server's answer
  const { code, message } = body as ErrorBody;
  throw createError(response, code ?? 'unavailable', message ?? 'The server did not answer.');
}

function createError(response: Response, code: ClaimgateErrorCode, message: string): Error {
  const requestId = response.headers.get('x-request-id') ?? undefined;
  return new ClaimgateError(code, message, { requestId });
}
