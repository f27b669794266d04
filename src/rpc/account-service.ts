/** Serves `gitpod.v1.AccountService`, which is open to callers without credentials and therefore limited. */
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';

import type { AccountService } from '../../gen/gitpod/v1/account_pb.ts';
import { createLoginUrl, discoverLogins } from '../domain/login-discovery.ts';
import type { LoginChoice } from '../domain/login-discovery.ts';
import type { Environment } from '../domain/ports.ts';
import { addressKey } from './caller.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

export function createAccountService(env: Environment): ServiceImpl<typeof AccountService> {
  return {
    async getSSOLoginURL({ email, returnTo }, context) {
      const [only, ...others] = await discover(email, returnTo, context);
      // Where there is a choice, the page behind the URL offers it.
      if (only !== undefined && others.length === 0) return { loginUrl: only.loginUrl };
      return { loginUrl: createLoginUrl(env.publicUrl, undefined, { email, returnTo }) };
    },

    async listSSOLogins({ email, returnTo, pagination }, context) {
      const list = ['sso-logins', email, returnTo];
      const { size, after } = readPageRequest(pagination, list);
      const choices = await discover(email, returnTo, context);
      const start = after === undefined ? 0 : choices.findIndex(({ id }) => id > after[0]);
      const rows = start < 0 ? [] : choices.slice(start, start + size);
      const last = rows.at(-1);
      const next = last !== undefined && last !== choices.at(-1) ? ([last.id] as const) : undefined;
      return {
        logins: rows.map(({ label, loginUrl }) => ({ displayName: label, loginUrl })),
        pagination: writePageToken(next, list),
      };
    },
  };

  async function discover(
    email: string,
    returnTo: string | undefined,
    context: HandlerContext,
  ): Promise<readonly LoginChoice[]> {
    return discoverLogins(env, { email, returnTo, address: context.values.get(addressKey)() });
  }
}
