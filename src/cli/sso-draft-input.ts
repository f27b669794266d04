/** Owns how commands name what they try: a stored configuration, a draft of it, or the draft of a new one. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Command } from 'commander';

import type { SSOConfigurationDraftSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { ClaimgateClient } from '../client/node.ts';
import type { CliContext } from './cli-context.ts';
import { UsageError } from './cli-errors.ts';
import { chooseOrganization } from './connection.ts';
import { collect, collectClaims } from './option-values.ts';
import { addSsoInputOptions, readClaimsExpression, readClientSecret } from './sso-input.ts';
import type { SsoInputOptions } from './sso-input.ts';

type Draft = MessageInitShape<typeof SSOConfigurationDraftSchema>;

export interface DraftOptions extends SsoInputOptions {
  readonly organization?: string;
  readonly issuerUrl?: string;
  readonly clientId?: string;
  readonly emailDomain?: string[];
  readonly scope?: string[];
  readonly claim?: Record<string, string>;
}

export interface TrialRequest {
  readonly ssoConfigurationId?: string;
  readonly organizationId?: string;
  readonly draft?: Draft;
}

export function addDraftOptions(command: Command): Command {
  return addSsoInputOptions(
    command
      .option('--issuer-url <url>', "identity provider's issuer")
      .option('--client-id <id>', 'client id at the identity provider')
      .option('--email-domain <domain>', 'email domain of its people; may be repeated', collect)
      .option('--scope <scope>', 'scope besides "openid email profile"; may be repeated', collect)
      .option(
        '--claim <attribute=claim>',
        'maps our email, name, picture or groups to a claim; may be repeated',
        collectClaims,
      ),
  );
}

/** With an id, options stand in for what is stored; without one, they are all there is. */
export async function readTrial(
  context: CliContext,
  client: ClaimgateClient,
  id: string | undefined,
  options: DraftOptions,
): Promise<TrialRequest> {
  const { issuerUrl, clientId, emailDomain, scope, claim } = options;
  const given = {
    ...(issuerUrl !== undefined && { issuerUrl }),
    ...(clientId !== undefined && { clientId }),
    ...(emailDomain !== undefined && { emailDomains: emailDomain }),
    ...(scope !== undefined && { additionalScopes: scope }),
    ...(claim !== undefined && { claims: claim }),
    ...omitAbsent('claimsExpression', await readClaimsExpression(context, options)),
    ...omitAbsent('clientSecret', await readClientSecret(context, options)),
  };
  if (id !== undefined) {
    if (Object.keys(given).length === 0) return { ssoConfigurationId: id };
    const draft = { ...(await readStored(client, id)), ...given };
    return { ssoConfigurationId: id, draft };
  }
  if (issuerUrl === undefined || clientId === undefined) {
    throw new UsageError(
      'Name an SSO configuration by its id, or describe one with --issuer-url and --client-id.',
    );
  }
  return {
    organizationId: await chooseOrganization(client, options),
    draft: { ...given, issuerUrl, clientId },
  };
}

function omitAbsent<Name extends string>(
  name: Name,
  value: string | undefined,
): Partial<Record<Name, string>> {
  const entries: Partial<Record<Name, string>> = {};
  if (value !== undefined) entries[name] = value;
  return entries;
}

async function readStored(client: ClaimgateClient, ssoConfigurationId: string) {
  const { ssoConfiguration } = await client.organizations.getSSOConfiguration({
    ssoConfigurationId,
  });
  return {
    issuerUrl: ssoConfiguration?.issuerUrl ?? '',
    clientId: ssoConfiguration?.clientId ?? '',
    emailDomains: ssoConfiguration?.emailDomains ?? [],
    additionalScopes: ssoConfiguration?.additionalScopes ?? [],
    claims: ssoConfiguration?.claims ?? {},
    claimsExpression: ssoConfiguration?.claimsExpression ?? '',
  };
}
