/** Owns `claimgate domain`: proving by DNS that an organization owns an email domain. */
import type { Command } from 'commander';

import { ClaimgateError, listAll } from '../client/node.ts';
import {
  DeleteDomainVerificationResponseSchema,
  DomainVerificationSchema,
  DomainVerificationState,
  DomainVerificationStateSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type { DomainVerification } from '../../gen/gitpod/v1/organization_pb.ts';
import type { CliContext } from './cli-context.ts';
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
import { formatEnum, formatText, formatTime } from './format-value.ts';
import { addListOptions, addPrintOptions, printDone, printList, printMessage } from './print.ts';
import type { Column, ListOptions, PrintOptions } from './print.ts';

const COLUMNS: readonly Column<DomainVerification>[] = [
  { title: 'Id', read: ({ id }) => formatText(id) },
  { title: 'Organization', read: ({ organizationId }) => formatText(organizationId), detail: true },
  { title: 'Domain', read: ({ domain }) => formatText(domain) },
  { title: 'State', read: ({ state }) => formatEnum(DomainVerificationStateSchema, state) },
  { title: 'Created', read: ({ createdAt }) => formatTime(createdAt), detail: true },
  { title: 'Verified', read: ({ verifiedAt }) => formatTime(verifiedAt) },
  { title: 'TXT record', read: ({ domain }) => formatText(nameRecord(domain)), detail: true },
  {
    title: 'TXT value',
    read: ({ verificationToken }) => formatText(`claimgate-verification=${verificationToken}`),
    detail: true,
  },
];

/** Where the record is published, as the contract says at CreateDomainVerification. */
function nameRecord(domain: string): string {
  return `_claimgate-challenge.${domain.toLowerCase()}`;
}

type CallOptions = ConnectionOptions & PrintOptions;
type OrganizationOptions = { readonly organization?: string };

export function addDomainCommands(program: Command, context: CliContext): void {
  const domain = program
    .command('domain')
    .summary('prove email domains by DNS')
    .description(
      'Proves by DNS that an organization owns an email domain, so that it routes logins.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ claimgate domain create example.com    # prints the TXT record to publish
  $ claimgate domain verify $ID            # once the record is published`,
    );
  addCreateCommand(domain, context);
  addListCommand(domain, context);
  addGetCommand(domain, context);
  addVerifyCommand(domain, context);
  addDeleteCommand(domain, context);
}

function addCreateCommand(domain: Command, context: CliContext): void {
  const command = domain
    .command('create <domain>')
    .description('Starts the proof of a domain, and prints the TXT record to publish.');
  addConnectionOptions(addPrintOptions(addOrganizationOption(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate domain create example.com`,
    )
    .action(async (domain: string, options: CallOptions & OrganizationOptions) => {
      const client = await connect(context, options);
      const organizationId = await chooseOrganization(client, options);
      const request = { organizationId, domain };
      const { domainVerification } = await client.organizations.createDomainVerification(request);
      await print(context, options, domainVerification);
    });
}

function addListCommand(domain: Command, context: CliContext): void {
  const command = domain.command('list').description('Lists the domains of an organization.');
  addConnectionOptions(addListOptions(addOrganizationOption(command)))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (options: ConnectionOptions & ListOptions & OrganizationOptions) => {
      const client = await connect(context, options);
      const organizationId = await chooseOrganization(client, options);
      const rows = listAll(client.organizations.listDomainVerifications, { organizationId });
      await printList(context, options, DomainVerificationSchema, rows, COLUMNS);
    });
}

function addGetCommand(domain: Command, context: CliContext): void {
  const command = domain
    .command('get <id>')
    .description('Shows how far the proof of a domain has come, and its TXT record.');
  addConnectionOptions(addPrintOptions(command))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (domainVerificationId: string, options: CallOptions) => {
      const client = await connect(context, options);
      const request = { domainVerificationId };
      const { domainVerification } = await client.organizations.getDomainVerification(request);
      await print(context, options, domainVerification);
    });
}

function addVerifyCommand(domain: Command, context: CliContext): void {
  const command = domain
    .command('verify <id>')
    .description(
      'Looks the TXT record up now, and marks the domain as verified if it is there. Ends with 5 if it is not.',
    );
  addConnectionOptions(addPrintOptions(command))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (domainVerificationId: string, options: CallOptions) => {
      const client = await connect(context, options);
      const { domainVerification } = await client.organizations.verifyDomain({
        domainVerificationId,
      });
      await print(context, options, domainVerification);
    });
}

function addDeleteCommand(domain: Command, context: CliContext): void {
  const command = domain
    .command('delete <id>')
    .description('Deletes the proof of a domain, which then routes no login to the organization.');
  addConnectionOptions(addPrintOptions(addConfirmOption(command)))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (domainVerificationId: string, options: CallOptions & ConfirmOptions) => {
      await confirm(context, options, `Delete the domain verification ${domainVerificationId}?`);
      const client = await connect(context, options);
      const response = await client.organizations.deleteDomainVerification({
        domainVerificationId,
      });
      const sentence = `Deleted the domain verification ${domainVerificationId}.`;
      await printDone(context, options, DeleteDomainVerificationResponseSchema, response, sentence);
    });
}

async function print(
  context: CliContext,
  options: PrintOptions,
  verification: DomainVerification | undefined,
): Promise<void> {
  if (verification === undefined) {
    throw new ClaimgateError('internal', 'The server answered without the domain verification.');
  }
  await printMessage(context, options, DomainVerificationSchema, verification, COLUMNS);
  const { id, domain, state } = verification;
  if (state !== DomainVerificationState.PENDING) return;
  const record = formatText(nameRecord(domain));
  context.stderr.write(
    `Publish the TXT value at ${record}, then run: claimgate domain verify ${formatText(id)}\n`,
  );
}
