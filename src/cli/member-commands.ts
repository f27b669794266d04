/**
 * Owns `claimgate member`: making members beforehand, and keeping them out. Who is a member, and in which role, is
 * under `claimgate org` (`org-member-commands.ts`).
 */
import { Option } from 'commander';
import type { Command } from 'commander';

import { ClaimgateError } from '../client/node.ts';
import {
  ReinstateMemberResponseSchema,
  SuspendMemberResponseSchema,
} from '../../gen/claimgate/v1/member_pb.ts';
import { OrganizationMemberSchema } from '../../gen/gitpod/v1/organization_pb.ts';
import type { CliContext } from './cli-context.ts';
import {
  addConnectionOptions,
  addOrganizationOption,
  chooseOrganization,
  connect,
  CONNECTION_HELP,
} from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { MEMBER_COLUMNS, MEMBER_ROLES } from './member-columns.ts';
import { addPrintOptions, printDone, printMessage } from './print.ts';
import type { PrintOptions } from './print.ts';

type CallOptions = ConnectionOptions & PrintOptions;

export function addMemberCommands(program: Command, context: CliContext): void {
  const member = program
    .command('member')
    .summary('make members beforehand, and keep them out')
    .description(
      'Makes members before they sign in, and keeps them out. "claimgate org members" lists them.',
    );
  addCreateCommand(member, context);
  addSuspendCommand(member, context);
  addReinstateCommand(member, context);
}

interface CreateOptions extends CallOptions {
  readonly organization?: string;
  readonly name?: string;
  readonly role: keyof typeof MEMBER_ROLES;
}

function addCreateCommand(member: Command, context: CliContext): void {
  const command = member
    .command('create <email>')
    .description(
      'Creates a member who has not signed in yet. The first person who signs in with this email, proven, becomes them.',
    )
    .option('--name <name>', 'name for display, until the first login brings one')
    .addOption(
      new Option('--role <role>', 'the role, which no login changes')
        .choices(Object.keys(MEMBER_ROLES))
        .default('member'),
    );
  addConnectionOptions(addPrintOptions(addOrganizationOption(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate member create ada@example.com --role admin`,
    )
    .action(async (email: string, options: CreateOptions) => {
      const client = await connect(context, options);
      const { member: created } = await client.members.createMember({
        organizationId: await chooseOrganization(client, options),
        email,
        fullName: options.name ?? '',
        role: MEMBER_ROLES[options.role],
      });
      if (created === undefined) {
        throw new ClaimgateError('internal', 'The server answered without the member.');
      }
      await printMessage(context, options, OrganizationMemberSchema, created, MEMBER_COLUMNS);
    });
}

function addSuspendCommand(member: Command, context: CliContext): void {
  const command = member
    .command('suspend <user-id>')
    .description(
      'Keeps a member out: sessions end, tokens and logins are refused, until "claimgate member reinstate". The last admin stays.',
    );
  addConnectionOptions(addPrintOptions(command))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (userId: string, options: CallOptions) => {
      const client = await connect(context, options);
      const response = await client.members.suspendMember({ userId });
      const sentence = `The user ${userId} is suspended.`;
      await printDone(context, options, SuspendMemberResponseSchema, response, sentence);
    });
}

function addReinstateCommand(member: Command, context: CliContext): void {
  const command = member
    .command('reinstate <user-id>')
    .description('Lets a suspended member in again, with the role and the tokens that they had.');
  addConnectionOptions(addPrintOptions(command))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (userId: string, options: CallOptions) => {
      const client = await connect(context, options);
      const response = await client.members.reinstateMember({ userId });
      const sentence = `The user ${userId} may sign in again.`;
      await printDone(context, options, ReinstateMemberResponseSchema, response, sentence);
    });
}
