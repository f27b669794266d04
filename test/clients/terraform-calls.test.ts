// The calls of the published Terraform provider's `ona_sso_configuration`, in its protocol (Connect, binary, HTTP/1.1,
// under /api) and its order. The provider itself is not run: it wants Terraform and its registry.
import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  SSOConfiguration_ProviderType,
  SSOConfigurationState,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { createApi } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

/** What it would plan again, if it came back otherwise. */
const PLANNED = {
  clientId: 'Claimgate ',
  issuerUrl: 'https://IDP.example.com/realms/a/',
  displayName: ' Example Ltd',
  emailDomains: ['b.example', 'A.example'],
  additionalScopes: ['offline_access', 'groups'],
  claimsExpression: 'claims.email_verified ',
};

let claimgate: StartedClaimgate;
let api: Api;

beforeAll(async () => {
  claimgate = await startClaimgate();
  api = createApi(`${claimgate.url}/api`, `Bearer ${claimgate.token}`);
});

afterAll(() => claimgate.stop());

async function getOrganizationId(): Promise<string> {
  const { organizationId } = await api.identity.getAuthenticatedIdentity({});
  expect(organizationId).not.toBe('');
  return organizationId;
}

async function read(ssoConfigurationId: string) {
  await getOrganizationId();
  return (await api.organizations.getSSOConfiguration({ ssoConfigurationId })).ssoConfiguration;
}

test('create, inactive as planned, then read, update, import and delete leave nothing to plan again', async () => {
  const { ssoConfiguration } = await api.organizations.createSSOConfiguration({
    organizationId: await getOrganizationId(),
    clientSecret: 'hush',
    ...PLANNED,
  });
  expect(ssoConfiguration).toMatchObject({
    state: SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
    providerType: SSOConfiguration_ProviderType.CUSTOM,
  });
  const ssoConfigurationId = ssoConfiguration?.id ?? '';
  const state = SSOConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE;
  await api.organizations.updateSSOConfiguration({ ssoConfigurationId, state });
  expect(await read(ssoConfigurationId)).toMatchObject({ ...PLANNED, state });

  // It plans the whole, and sends it; an empty set of scopes and an empty expression clear.
  await getOrganizationId();
  await api.organizations.updateSSOConfiguration({
    ssoConfigurationId,
    ...PLANNED,
    clientId: 'claimgate-2',
    additionalScopes: { scopes: [] },
    claimsExpression: '',
    state: SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
  });
  expect(await read(ssoConfigurationId)).toMatchObject({
    ...PLANNED,
    clientId: 'claimgate-2',
    additionalScopes: [],
    claimsExpression: '',
    state: SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
  });

  await api.organizations.deleteSSOConfiguration({ ssoConfigurationId });
  await expect(read(ssoConfigurationId)).rejects.toMatchObject({ code: Code.NotFound });
});
