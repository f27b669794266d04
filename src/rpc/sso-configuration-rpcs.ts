/** Serves the five SSO RPCs of `gitpod.v1.OrganizationService`. */
import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

import { createViolationError } from '../domain/errors.ts';
import { updateSsoConfigurationGuarded } from '../domain/guarded-update.ts';
import { whenReady } from '../domain/awaitable.ts';
import { makeOnce } from '../domain/lasting.ts';
import type { Page } from '../domain/page.ts';
import type { Environment } from '../domain/ports.ts';
import {
  createSsoConfiguration,
  deleteSsoConfiguration,
  getSsoConfiguration,
  listSsoConfigurations,
  updateSsoConfiguration,
} from '../domain/sso-configuration.ts';
import type { SsoConfiguration } from '../domain/sso-configuration.ts';
import {
  GetSSOConfigurationResponseSchema,
  ListSSOConfigurationsResponseSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { readCaller } from './caller.ts';
import { readSsoConfigurationState, writeSsoConfiguration } from './convert.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

type SsoConfigurationRpcs = Pick<
  ServiceImpl<typeof OrganizationService>,
  | 'createSSOConfiguration'
  | 'getSSOConfiguration'
  | 'listSSOConfigurations'
  | 'updateSSOConfiguration'
  | 'deleteSSOConfiguration'
>;

const answerGet = makeOnce((configuration: SsoConfiguration) =>
  create(GetSSOConfigurationResponseSchema, {
    ssoConfiguration: writeSsoConfiguration(configuration),
  }),
);

const answerList = makeOnce(({ rows, next }: Page<SsoConfiguration>) =>
  create(ListSSOConfigurationsResponseSchema, {
    ssoConfigurations: rows.map(writeSsoConfiguration),
    // Where there is a next page, this one has rows, all of one organization.
    pagination: writePageToken(next, nameList(rows[0]?.organizationId ?? '')),
  }),
);

function nameList(organizationId: string): readonly string[] {
  return ['sso-configurations', organizationId];
}

export function createSsoConfigurationRpcs(env: Environment): SsoConfigurationRpcs {
  return {
    async createSSOConfiguration(request, context) {
      const configuration = await createSsoConfiguration(env, readCaller(context), {
        ...request,
        state: readInitialState(context.requestHeader),
      });
      return { ssoConfiguration: writeSsoConfiguration(configuration) };
    },

    getSSOConfiguration({ ssoConfigurationId }, context) {
      const caller = readCaller(context);
      return whenReady(getSsoConfiguration(env, caller, ssoConfigurationId), answerGet);
    },

    listSSOConfigurations({ organizationId, pagination }, context) {
      const pageRequest = readPageRequest(pagination, nameList(organizationId));
      const caller = readCaller(context);
      return whenReady(listSsoConfigurations(env, caller, organizationId, pageRequest), answerList);
    },

    async updateSSOConfiguration(request, context) {
      const update = readEnforcement(context.requestHeader)
        ? updateSsoConfigurationGuarded
        : updateSsoConfiguration;
      await update(env, readCaller(context), request.ssoConfigurationId, {
        clientId: request.clientId,
        clientSecret: request.clientSecret,
        issuerUrl: request.issuerUrl,
        state:
          request.state === undefined
            ? undefined
            : readSsoConfigurationState(request.state, 'state'),
        claims: request.claims,
        emailDomain: request.emailDomain,
        emailDomains: request.emailDomains,
        displayName: request.displayName,
        additionalScopes: request.additionalScopes?.scopes,
        claimsExpression: request.claimsExpression,
      });
      return {};
    },

    async deleteSSOConfiguration(request, context) {
      await deleteSsoConfiguration(env, readCaller(context), request.ssoConfigurationId);
      return {};
    },
  };
}

/**
 * `Claimgate-Preview: enforce` asks that a change be refused which would shut out anyone who got in during the last 7
 * days.
 */
function readEnforcement(header: Headers): boolean {
  return readOption(header, 'Claimgate-Preview', 'enforce');
}

/** `Claimgate-Initial-State: inactive` asks for a configuration that nobody signs in through before it is switched on. */
function readInitialState(header: Headers): 'inactive' | undefined {
  return readOption(header, 'Claimgate-Initial-State', 'inactive') ? 'inactive' : undefined;
}

/** Where the contract of `gitpod.v1` has no field. A value that we do not know is no reason to go on without. */
function readOption(header: Headers, name: string, meant: string): boolean {
  const value = header.get(name) ?? '';
  if (value === '' || value === meant) return value === meant;
  throw createViolationError([
    { field: name, rule: 'header', message: `must be "${meant}", or left out` },
  ]);
}
