/** Owns `claimgate org`, as far as it is about organizations themselves; `org-member-commands.ts` owns their people. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { clear, ClaimgateError, set, updateOrganization } from '../client/node.ts';
import {
  CreateOrganizationResponseSchema,
  DeleteOrganizationResponseSchema,
  OrganizationSchema,
  OrganizationTierSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type { Organization } from '../../gen/gitpod/v1/organization_pb.ts';
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
import { formatEnum, formatList, formatText, formatTime } from './format-value.ts';
import { addOrgMemberCommands } from './org-member-commands.ts';
import { collect } from './option-values.ts';
import { addPrintOptions, printDone, printJson, printMessage } from './print.ts';
import type { Column, PrintOptions } from './print.ts';

const COLUMNS: readonly Column<Organization>[] = [
  { title: 'Id', read: ({ id }) => formatText(id) },
  { title: 'Name', read: ({ name }) => formatText(name) },
  { title: 'Tier', read: ({ tier }) => formatEnum(OrganizationTierSchema, tier) },
  {
    title: 'Invite domains',
    read: ({ inviteDomains }) => formatList(inviteDomains?.domains ?? []),
  },
  { title: 'Created', read: ({ createdAt }) => formatTime(createdAt) },
  { title: 'Updated', read: ({ updatedAt }) => formatTime(updatedAt) },
];

type CallOptions = ConnectionOptions & PrintOptions;
type OrganizationOptions = { readonly organization?: string };

export function addOrgCommands(program: Command, context: CliContext): void {
  const org = program
    .command('org')
    .summary('manage organizations and their members')
    .description('Manages organizations and their members.');
  addCreateCommand(org, context);
  addGetCommand(org, context);
  addUpdateCommand(org, context);
  addDeleteCommand(org, context);
  addOrgMemberCommands(org, context);
}

interface CreateOptions extends CallOptions {
  readonly join?: boolean;
  readonly inviteMatchingDomain?: boolean;
}

function addCreateCommand(org: Command, context: CliContext): void {
  const command = org
    .command('create <name>')
    .description('Creates an organization. For operators.')
    .option('--join', 'join it as its first admin, as a new user of it')
    .option('--invite-matching-domain', "make the domain of the caller's email an invite domain");
  addConnectionOptions(addPrintOptions(command))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

With --json, the answer holds the organization and, with --join, the new member.

Examples:
  $ claimgate org create "Example Ltd" --join`,
    )
    .action(async (name: string, options: CreateOptions) => {
      const client = await connect(context, options);
      const response = await client.organizations.createOrganization({
        name,
        joinOrganization: options.join ?? false,
        inviteAccountsWithMatchingDomain: options.inviteMatchingDomain ?? false,
      });
      if (options.json === true) {
        await printJson(context, CreateOrganizationResponseSchema, response);
        return;
      }
      await print(context, options, response.organization);
      if (response.member === undefined) return;
      context.stderr.write(`You are its admin as user ${formatText(response.member.userId)}.\n`);
    });
}

function addGetCommand(org: Command, context: CliContext): void {
  const command = org.command('get').description('Shows an organization.');
  addConnectionOptions(addPrintOptions(addOrganizationOption(command)))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (options: CallOptions & OrganizationOptions) => {
      const client = await connect(context, options);
      const organizationId = await chooseOrganization(client, options);
      const { organization } = await client.organizations.getOrganization({ organizationId });
      await print(context, options, organization);
    });
}

interface UpdateOptions extends CallOptions, OrganizationOptions {
  readonly name?: string;
  readonly inviteDomain?: readonly string[];
  readonly clearInviteDomains?: boolean;
}

function addUpdateCommand(org: Command, context: CliContext): void {
  const command = org
    .command('update')
    .description('Changes what is named, leaves all else as it is, and shows the result.')
    .option('--name <name>', 'name for display, 3 to 200 characters')
    .option('--invite-domain <domain>', 'replaces all invite domains; may be repeated', collect)
    .addOption(
      new Option('--clear-invite-domains', 'removes all invite domains').conflicts('inviteDomain'),
    );
  addConnectionOptions(addPrintOptions(addOrganizationOption(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate org update --name "Example Ltd" --clear-invite-domains`,
    )
    .action(async (options: UpdateOptions) => {
      const { name, inviteDomain, clearInviteDomains } = options;
      const domains = inviteDomain && set(inviteDomain);
      const inviteDomains = clearInviteDomains === true ? clear : domains;
      if (name === undefined && inviteDomains === undefined) {
        throw new UsageError('Nothing to change. Name what is to change, such as --name NAME.');
      }
      const client = await connect(context, options);
      const organizationId = await chooseOrganization(client, options);
      const change = { name: name === undefined ? undefined : set(name), inviteDomains };
      const { organization } = await updateOrganization(client, organizationId, change);
      await print(context, options, organization);
    });
}

function addDeleteCommand(org: Command, context: CliContext): void {
  const command = org
    .command('delete <id>')
    .description(
      'Deletes an organization with all that it owns: members, tokens, SSO configurations, domains.',
    );
  addConnectionOptions(addPrintOptions(addConfirmOption(command)))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (organizationId: string, options: CallOptions & ConfirmOptions) => {
      const question = `Delete the organization ${organizationId} with all that it owns?`;
      await confirm(context, options, question);
      const client = await connect(context, options);
      const response = await client.organizations.deleteOrganization({ organizationId });
      const sentence = `Deleted the organization ${organizationId}.`;
      await printDone(context, options, DeleteOrganizationResponseSchema, response, sentence);
    });
}

async function print(
  context: CliContext,
  options: PrintOptions,
  organization: Organization | undefined,
): Promise<void> {
  if (organization === undefined) {
    throw new ClaimgateError('internal', 'The server answered without the organization.');
  }
  await printMessage(context, options, OrganizationSchema, organization, COLUMNS);
}
