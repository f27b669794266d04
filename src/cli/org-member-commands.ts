/** Owns the part of `claimgate org` that is about an organization's people. */
import { Argument, Option } from 'commander';
import type { Command } from 'commander';

import { listAll } from '../client/node.ts';
import {
  LeaveOrganizationResponseSchema,
  ListMembersRequest_SortField,
  OrganizationMemberSchema,
  SetRoleResponseSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { SortOrder } from '../../gen/gitpod/v1/pagination_pb.ts';
import { UserStatus } from '../../gen/gitpod/v1/user_pb.ts';
import type { CliContext } from './cli-context.ts';
import { addConfirmOption, confirm } from './confirm.ts';
import type { ConfirmOptions } from './confirm.ts';
import {
  addConnectionOptions,
  addOrganizationOption,
  chooseOrganization,
  chooseUser,
  connect,
  CONNECTION_HELP,
} from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { MEMBER_COLUMNS, MEMBER_ROLES } from './member-columns.ts';
import { addListOptions, addPrintOptions, printDone, printList } from './print.ts';
import type { ListOptions, PrintOptions } from './print.ts';

const STATUSES = {
  active: UserStatus.ACTIVE,
  suspended: UserStatus.SUSPENDED,
  left: UserStatus.LEFT,
} as const;
const SORT_FIELDS = {
  name: ListMembersRequest_SortField.NAME,
  joined: ListMembersRequest_SortField.DATE_JOINED,
} as const;

type CallOptions = ConnectionOptions & PrintOptions;
type OrganizationOptions = { readonly organization?: string };

interface MembersOptions extends ConnectionOptions, ListOptions, OrganizationOptions {
  readonly search?: string;
  readonly role?: keyof typeof MEMBER_ROLES;
  readonly status?: keyof typeof STATUSES;
  readonly sort: keyof typeof SORT_FIELDS;
  readonly descending?: boolean;
}

export function addOrgMemberCommands(org: Command, context: CliContext): void {
  addMembersCommand(org, context);
  addSetRoleCommand(org, context);
  addLeaveCommand(org, context);
}

function addMembersCommand(org: Command, context: CliContext): void {
  const command = org
    .command('members')
    .description('Lists the members of an organization.')
    .option('--search <text>', 'only with this part of a name or an email')
    .addOption(new Option('--role <role>', 'only in this role').choices(Object.keys(MEMBER_ROLES)))
    .addOption(new Option('--status <status>', 'only in this state').choices(Object.keys(STATUSES)))
    .addOption(
      new Option('--sort <field>', 'in which order')
        .choices(Object.keys(SORT_FIELDS))
        .default('joined'),
    )
    .option('--descending', 'the other way round');
  addConnectionOptions(addListOptions(addOrganizationOption(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate org members --role admin --sort name`,
    )
    .action(async (options: MembersOptions) => {
      const client = await connect(context, options);
      const { role, status } = options;
      const rows = listAll(client.organizations.listMembers, {
        organizationId: await chooseOrganization(client, options),
        filter: {
          search: options.search ?? '',
          roles: role === undefined ? [] : [MEMBER_ROLES[role]],
          statuses: status === undefined ? [] : [STATUSES[status]],
        },
        sort: {
          field: SORT_FIELDS[options.sort],
          order: options.descending === true ? SortOrder.DESC : SortOrder.ASC,
        },
      });
      await printList(context, options, OrganizationMemberSchema, rows, MEMBER_COLUMNS);
    });
}

function addSetRoleCommand(org: Command, context: CliContext): void {
  const command = org
    .command('set-role <user-id>')
    .description('Sets the role of a member. The last admin stays one.')
    .addArgument(new Argument('<role>', 'the new role').choices(Object.keys(MEMBER_ROLES)));
  addConnectionOptions(addPrintOptions(addOrganizationOption(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate org set-role $USER_ID admin`,
    )
    .action(
      async (
        userId: string,
        role: keyof typeof MEMBER_ROLES,
        options: CallOptions & OrganizationOptions,
      ) => {
        const client = await connect(context, options);
        const organizationId = await chooseOrganization(client, options);
        const request = { organizationId, userId, role: MEMBER_ROLES[role] };
        const response = await client.organizations.setRole(request);
        const sentence = `The user ${userId} is now ${role}.`;
        await printDone(context, options, SetRoleResponseSchema, response, sentence);
      },
    );
}

function addLeaveCommand(org: Command, context: CliContext): void {
  const command = org
    .command('leave [user-id]')
    .description(
      "Takes a member out of the organization: the token's own user, or for admins any. Tokens and sessions end.",
    );
  addConnectionOptions(addPrintOptions(addConfirmOption(command)))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (named: string | undefined, options: CallOptions & ConfirmOptions) => {
      const who = named === undefined ? 'you, whose token this is,' : `the user ${named}`;
      await confirm(context, options, `Take ${who} out of the organization?`);
      const client = await connect(context, options);
      const userId = await chooseUser(client, named);
      const response = await client.organizations.leaveOrganization({ userId });
      const sentence = `The user ${userId} has left.`;
      await printDone(context, options, LeaveOrganizationResponseSchema, response, sentence);
    });
}
