/** Owns `claimgate sso`: reading, writing and showing SSO configurations. */
import type { Command } from 'commander';

import { ClaimgateError, listAll } from '../client/node.ts';
import type { ClaimgateClient } from '../client/node.ts';
import {
  DeleteSSOConfigurationResponseSchema,
  SSOConfigurationSchema,
  SSOConfigurationStateSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type { SSOConfiguration } from '../../gen/gitpod/v1/organization_pb.ts';
import type { CliContext } from './cli-context.ts';
import { UsageError } from './cli-errors.ts';
import { addConfirmOption, confirm } from './confirm.ts';
import type { ConfirmOptions } from './confirm.ts';
import {
  addConnectionOptions,
  addOrganizationOption,
  chooseOrganization,
  connect,
  CONNECTION_HELP,
} from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { formatEnum, formatList, formatText } from './format-value.ts';
import { collect } from './option-values.ts';
import { addListOptions, addPrintOptions, printDone, printList, printMessage } from './print.ts';
import type { Column, ListOptions, PrintOptions } from './print.ts';
import { addSsoCheckCommand } from './sso-check-command.ts';
import { addSsoEvaluateCommand } from './sso-evaluate-command.ts';
import { addSsoInputOptions, readClaimsExpression, readClientSecret } from './sso-input.ts';
import type { SsoInputOptions } from './sso-input.ts';
import { addSsoPreviewCommand } from './sso-preview-command.ts';
import { addSsoTestLoginCommand } from './sso-test-login-command.ts';
import { addSsoUpdateCommand } from './sso-update-command.ts';

const COLUMNS: readonly Column<SSOConfiguration>[] = [
  { title: 'Id', read: ({ id }) => formatText(id) },
  { title: 'Organization', read: ({ organizationId }) => formatText(organizationId), detail: true },
  { title: 'State', read: ({ state }) => formatEnum(SSOConfigurationStateSchema, state) },
  { title: 'Display name', read: ({ displayName }) => formatText(displayName) },
  { title: 'Issuer', read: ({ issuerUrl }) => formatText(issuerUrl) },
  { title: 'Client id', read: ({ clientId }) => formatText(clientId) },
  { title: 'Email domains', read: ({ emailDomains }) => formatList(emailDomains) },
  {
    title: 'Additional scopes',
    read: ({ additionalScopes }) => formatList(additionalScopes),
    detail: true,
  },
  { title: 'Claims mapping', read: ({ claims }) => formatClaims(claims), detail: true },
  {
    title: 'Claims expression',
    read: ({ claimsExpression }) => formatText(claimsExpression),
    detail: true,
  },
];

function formatClaims(claims: Readonly<Record<string, string>>): string {
  return formatList(Object.entries(claims).map(([attribute, claim]) => `${attribute}=${claim}`));
}

type CallOptions = ConnectionOptions & PrintOptions;

export function addSsoCommands(program: Command, context: CliContext): void {
  const sso = program
    .command('sso')
    .summary('manage SSO configurations')
    .description('Manages SSO configurations: the OIDC client registrations of an organization.');
  addListCommand(sso, context);
  addGetCommand(sso, context);
  addCreateCommand(sso, context);
  addSsoUpdateCommand(sso, context, (client, id, options) => show(context, client, id, options));
  addDeleteCommand(sso, context);
  addSsoCheckCommand(sso, context);
  addSsoEvaluateCommand(sso, context);
  addSsoPreviewCommand(sso, context);
  addSsoTestLoginCommand(sso, context);
}

function addListCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('list')
    .description('Lists the SSO configurations of an organization.');
  addConnectionOptions(addListOptions(addOrganizationOption(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate sso list
  $ claimgate sso list --json | jq -r '.[].issuerUrl'`,
    )
    .action(async (options: ConnectionOptions & ListOptions & { organization?: string }) => {
      const client = await connect(context, options);
      const organizationId = await chooseOrganization(client, options);
      const rows = listAll(client.organizations.listSSOConfigurations, { organizationId });
      await printList(context, options, SSOConfigurationSchema, rows, COLUMNS);
    });
}

function addGetCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('get <id>')
    .description('Shows an SSO configuration. Its client secret is never shown.');
  addConnectionOptions(addPrintOptions(command))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (id: string, options: CallOptions) => {
      await show(context, await connect(context, options), id, options);
    });
}

async function show(
  context: CliContext,
  client: ClaimgateClient,
  ssoConfigurationId: string,
  options: PrintOptions,
): Promise<void> {
  const { ssoConfiguration } = await client.organizations.getSSOConfiguration({
    ssoConfigurationId,
  });
  await print(context, options, ssoConfiguration);
}

async function print(
  context: CliContext,
  options: PrintOptions,
  configuration: SSOConfiguration | undefined,
): Promise<void> {
  if (configuration === undefined) {
    throw new ClaimgateError('internal', 'The server answered without the SSO configuration.');
  }
  await printMessage(context, options, SSOConfigurationSchema, configuration, COLUMNS);
}

interface CreateOptions extends CallOptions, SsoInputOptions {
  readonly organization?: string;
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly emailDomain?: string[];
  readonly displayName?: string;
  readonly scope?: string[];
  readonly inactive?: boolean;
}

function addCreateCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('create')
    .description(
      'Creates an SSO configuration. It is active at once, unless --inactive is given. It needs --client-secret-file.',
    )
    .requiredOption(
      '--issuer-url <url>',
      "identity provider's issuer, as its discovery names it (required)",
    )
    .requiredOption('--client-id <id>', 'client id that the identity provider has given (required)')
    .option('--email-domain <domain>', 'email domain of its people; may be repeated', collect)
    .option('--display-name <name>', 'name for display, at most 128 characters')
    .option('--scope <scope>', 'scope besides "openid email profile"; may be repeated', collect)
    .option('--inactive', 'nobody signs in through it before "sso update --state active"');
  addConnectionOptions(addPrintOptions(addOrganizationOption(addSsoInputOptions(command))))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate sso create --issuer-url https://idp.example.com --client-id claimgate \\
      --client-secret-file ./secret --email-domain example.com
  $ pass show idp/claimgate | claimgate sso create --issuer-url https://idp.example.com \\
      --client-id claimgate --client-secret-file - --scope groups \\
      --claims-expression '"staff" in claims.groups'`,
    )
    .action(async (options: CreateOptions) => {
      const claimsExpression = await readClaimsExpression(context, options);
      const clientSecret = await readClientSecret(context, options);
      if (clientSecret === undefined) {
        throw new UsageError(
          'The client secret is missing. Name its file with --client-secret-file, or pipe it in with --client-secret-file -.',
        );
      }
      const client = await connect(context, options);
      const request = {
        organizationId: await chooseOrganization(client, options),
        issuerUrl: options.issuerUrl,
        clientId: options.clientId,
        clientSecret,
        emailDomains: options.emailDomain ?? [],
        displayName: options.displayName ?? '',
        additionalScopes: options.scope ?? [],
        claimsExpression,
      };
      const { ssoConfiguration } = await client.organizations.createSSOConfiguration(request, {
        ...(options.inactive === true && { headers: { 'claimgate-initial-state': 'inactive' } }),
      });
      await print(context, options, ssoConfiguration);
    });
}

function addDeleteCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('delete <id>')
    .description(
      'Deletes an SSO configuration with its secret. Sessions that came through it end.',
    );
  addConnectionOptions(addPrintOptions(addConfirmOption(command)))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (id: string, options: CallOptions & ConfirmOptions) => {
      await confirm(context, options, `Delete the SSO configuration ${id}?`);
      const client = await connect(context, options);
      const response = await client.organizations.deleteSSOConfiguration({
        ssoConfigurationId: id,
      });
      const sentence = `Deleted the SSO configuration ${id}.`;
      await printDone(context, options, DeleteSSOConfigurationResponseSchema, response, sentence);
    });
}
