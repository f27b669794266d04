/** Serves `gitpod.v1.UserService`. */
import type { ServiceImpl } from '@connectrpc/connect';
import { durationMs } from '@bufbuild/protobuf/wkt';

import { getAuthenticatedUser } from '../domain/organization.ts';
import type { Environment } from '../domain/ports.ts';
import {
  createPersonalAccessToken,
  deletePersonalAccessToken,
  getPersonalAccessToken,
  listPersonalAccessTokens,
} from '../domain/token.ts';
import type { UserService } from '../../gen/gitpod/v1/user_pb.ts';
import { readCaller } from './caller.ts';
import { writeToken, writeUser } from './convert.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

export function createUserService(env: Environment): ServiceImpl<typeof UserService> {
  return {
    async getAuthenticatedUser(_request, context) {
      return { user: writeUser(await getAuthenticatedUser(env, readCaller(context))) };
    },

    async createPersonalAccessToken({ userId, description, validFor, readOnly }, context) {
      const validForMs = validFor && durationMs(validFor);
      const input = { userId, description, validForMs, readOnly };
      return { token: await createPersonalAccessToken(env, readCaller(context), input) };
    },

    async getPersonalAccessToken({ personalAccessTokenId }, context) {
      return {
        pat: writeToken(
          await getPersonalAccessToken(env, readCaller(context), personalAccessTokenId),
        ),
      };
    },

    async listPersonalAccessTokens({ filter, pagination }, context) {
      const caller = readCaller(context);
      const userIds = filter?.userIds ?? [];
      const list = ['personal-access-tokens', caller.userId, userIds];
      const page = await listPersonalAccessTokens(
        env,
        caller,
        userIds,
        readPageRequest(pagination, list),
      );
      return {
        personalAccessTokens: page.rows.map(writeToken),
        pagination: writePageToken(page.next, list),
      };
    },

    async deletePersonalAccessToken({ personalAccessTokenId }, context) {
      await deletePersonalAccessToken(env, readCaller(context), personalAccessTokenId);
      return {};
    },
  };
}
