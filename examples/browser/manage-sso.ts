/** Manages SSO configurations of Claimgate from a browser, with connect-web. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Client, Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';

import { ViolationsSchema } from './gen/buf/validate/validate_pb.ts';
import { ErrorInfoSchema } from './gen/google/rpc/error_details_pb.ts';
import { IdentityService } from './gen/gitpod/v1/identity_pb.ts';
import { OrganizationService } from './gen/gitpod/v1/organization_pb.ts';
import type { UpdateSSOConfigurationRequestSchema } from './gen/gitpod/v1/organization_pb.ts';

// region client
/** Sends the token with every call. */
const authorize =
  (token: string): Interceptor =>
  (next) =>
  (request) => {
    request.header.set('Authorization', `Bearer ${token}`);
    return next(request);
  };

/** Repeats reads while the server is not there. Changes are not: one whose answer was lost may have happened. */
const retry =
  (attempts: number): Interceptor =>
  (next) =>
  async (request) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(request);
      } catch (error) {
        const isRead = request.method.idempotency === IdempotencyLevel.NO_SIDE_EFFECTS;
        if (!isRead || attempt === attempts || !isUnavailable(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
      }
    }
  };

/** Where there is no answer at all, `fetch` throws a TypeError, which has no code. */
function isUnavailable(error: unknown): boolean {
  const { code, cause } = ConnectError.from(error);
  return code === Code.Unavailable || cause instanceof TypeError;
}
// endregion

export async function manageSso(url: string, token: string, print: (line: string) => void) {
  // region first-call
  const transport = createConnectTransport({
    baseUrl: url,
    interceptors: [retry(4), authorize(token)],
    defaultTimeoutMs: 10_000,
  });
  const identities = createClient(IdentityService, transport);
  const organizations = createClient(OrganizationService, transport);

  const { organizationId } = await identities.getAuthenticatedIdentity({});
  // endregion

  const ids: string[] = [];
  for (const clientId of ['client-1', 'client-2', 'client-3']) {
    const { ssoConfiguration } = await organizations.createSSOConfiguration({
      organizationId,
      issuerUrl: 'https://idp.example.com',
      clientId,
      clientSecret: 'what the identity provider has given',
      emailDomains: ['example.com'],
      additionalScopes: ['groups'],
      claimsExpression: '"staff" in claims.groups',
    });
    ids.push(ssoConfiguration?.id ?? '');
  }
  print(`created: ${ids.length}`);

  const [ssoConfigurationId = ''] = ids;
  const read = async () =>
    (await organizations.getSSOConfiguration({ ssoConfigurationId })).ssoConfiguration;
  const first = await read();
  print(`read: ${first?.clientId} at ${first?.issuerUrl}`);

  let page = 0;
  for await (const configurations of listPages(organizations, organizationId)) {
    print(`page ${++page}: ${configurations.map(({ clientId }) => clientId).join(', ')}`);
  }

  // A field that is absent stays, one that is present is set, and one that is present and empty is cleared.
  const update = async (
    name: string,
    change: MessageInitShape<typeof UpdateSSOConfigurationRequestSchema>,
  ) => {
    await organizations.updateSSOConfiguration({ ...change, ssoConfigurationId });
    const after = await read();
    print(
      `${name}: scopes [${after?.additionalScopes.join(' ')}], rule [${after?.claimsExpression}]`,
    );
  };
  await update('leave', { displayName: 'Example Ltd' });
  await update('set', {
    additionalScopes: { scopes: ['groups', 'offline_access'] },
    claimsExpression: 'claims.email_verified',
  });
  await update('clear', { additionalScopes: { scopes: [] }, claimsExpression: '' });

  try {
    await update('wrong', { issuerUrl: 'not a URL', displayName: 'x'.repeat(129) });
  } catch (error) {
    const refusal = ConnectError.from(error);
    if (refusal.code !== Code.InvalidArgument) throw error;
    const [refused] = refusal.findDetails(ViolationsSchema);
    for (const { field, ruleId } of refused?.violations ?? []) {
      const path = field?.elements.map(({ fieldName }) => fieldName).join('.');
      print(`invalid_argument: ${path} breaks ${ruleId}`);
    }
  }

  for (const id of ids) await organizations.deleteSSOConfiguration({ ssoConfigurationId: id });
  print(`deleted: ${ids.length}`);

  try {
    await read();
  } catch (error) {
    const refusal = ConnectError.from(error);
    if (refusal.code !== Code.NotFound) throw error;
    const [info] = refusal.findDetails(ErrorInfoSchema);
    print(`not_found: ${info?.reason}`);
  }
}

async function* listPages(
  organizations: Client<typeof OrganizationService>,
  organizationId: string,
) {
  // An empty token asks for the first page, and stands on the last one.
  let token = '';
  do {
    const { pagination, ssoConfigurations } = await organizations.listSSOConfigurations({
      organizationId,
      pagination: { pageSize: 2, token },
    });
    yield ssoConfigurations;
    token = pagination?.nextToken ?? '';
  } while (token !== '');
}
