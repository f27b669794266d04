/** Owns `claimgate sso update`: which options leave, set and clear a field. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { clear, set, updateSsoConfiguration } from '../client/node.ts';
import type { ClaimgateClient, ClearableChange, SsoConfigurationChange } from '../client/node.ts';
import { SSOConfigurationState } from '../../gen/gitpod/v1/organization_pb.ts';
import type { CliContext } from './cli-context.ts';
import { UsageError } from './cli-errors.ts';
import { addConnectionOptions, connect, CONNECTION_HELP } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { collect, collectClaims } from './option-values.ts';
import { addPrintOptions } from './print.ts';
import type { PrintOptions } from './print.ts';
import { addSsoInputOptions, readClaimsExpression, readClientSecret } from './sso-input.ts';
import type { SsoInputOptions } from './sso-input.ts';

const STATES = {
  active: SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
  inactive: SSOConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE,
} as const;

interface UpdateOptions extends ConnectionOptions, PrintOptions, SsoInputOptions {
  readonly issuerUrl?: string;
  readonly clientId?: string;
  readonly state?: keyof typeof STATES;
  readonly emailDomain?: readonly string[];
  readonly displayName?: string;
  readonly clearDisplayName?: boolean;
  readonly scope?: readonly string[];
  readonly clearScopes?: boolean;
  readonly claim?: Readonly<Record<string, string>>;
  readonly clearClaim?: readonly string[];
  readonly clearClaimsExpression?: boolean;
  readonly preview?: 'enforce';
}

type Show = (client: ClaimgateClient, id: string, options: PrintOptions) => Promise<void>;

export function addSsoUpdateCommand(sso: Command, context: CliContext, show: Show): void {
  const command = sso
    .command('update <id>')
    .description('Changes what is named, leaves all else as it is, and shows the result.')
    .option('--issuer-url <url>', "identity provider's issuer")
    .option('--client-id <id>', 'client id at the identity provider')
    .addOption(
      new Option('--state <state>', 'whether people can sign in through it').choices(
        Object.keys(STATES),
      ),
    )
    .option('--email-domain <domain>', 'replaces all email domains; may be repeated', collect)
    .option('--display-name <name>', 'name for display, at most 128 characters')
    .addOption(clearing('--clear-display-name', 'removes the name for display', 'displayName'))
    .option('--scope <scope>', 'replaces all additional scopes; may be repeated', collect)
    .addOption(clearing('--clear-scopes', 'removes all additional scopes', 'scope'))
    .option(
      '--claim <attribute=claim>',
      'maps our email, name, picture or groups to a claim; may be repeated',
      collectClaims,
    )
    .option('--clear-claim <attribute>', 'removes a mapping; may be repeated', collect)
    .addOption(
      clearing('--clear-claims-expression', 'removes the CEL rule', [
        'claimsExpression',
        'claimsExpressionFile',
      ]),
    )
    .addOption(
      new Option(
        '--preview <mode>',
        'enforce: refuse what would shut out anyone who signed in during the last 7 days',
      ).choices(['enforce']),
    );
  addConnectionOptions(addPrintOptions(addSsoInputOptions(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate sso update $ID --state inactive
  $ claimgate sso update $ID --clear-display-name --scope groups --scope offline_access
  $ claimgate sso update $ID --claim email=mail --clear-claim groups
  $ claimgate sso update $ID --client-secret-file - < ./new-secret`,
    )
    .action(async (id: string, options: UpdateOptions) => {
      const change = await readChange(context, options);
      const client = await connect(context, options);
      await updateSsoConfiguration(client, id, change, {
        ...(options.preview !== undefined && { headers: { 'claimgate-preview': options.preview } }),
      });
      await show(client, id, options);
    });
}

function clearing(flag: string, description: string, field: string | string[]): Option {
  return new Option(flag, description).conflicts(field);
}

async function readChange(
  context: CliContext,
  options: UpdateOptions,
): Promise<SsoConfigurationChange> {
  const { state } = options;
  const change = {
    clientId: setGiven(options.clientId),
    clientSecret: setGiven(await readClientSecret(context, options)),
    issuerUrl: setGiven(options.issuerUrl),
    state: setGiven(state && STATES[state]),
    claims: readClaimChanges(options),
    emailDomains: setGiven(options.emailDomain),
    displayName: options.clearDisplayName === true ? clear : setGiven(options.displayName),
    additionalScopes: options.clearScopes === true ? clear : setGiven(options.scope),
    claimsExpression:
      options.clearClaimsExpression === true
        ? clear
        : setGiven(await readClaimsExpression(context, options)),
  };
  if (Object.values(change).some((field) => field !== undefined)) return change;
  throw new UsageError('Nothing to change. Name what is to change, such as --display-name NAME.');
}

/** An option that is not given leaves its field. */
function setGiven<Value>(value: Value | undefined) {
  return value === undefined ? undefined : set(value);
}

function readClaimChanges(
  options: UpdateOptions,
): Record<string, ClearableChange<string>> | undefined {
  const mapped = Object.entries(options.claim ?? {});
  const cleared = options.clearClaim ?? [];
  const both = mapped.find(([attribute]) => cleared.includes(attribute));
  if (both !== undefined) {
    throw new UsageError(`--claim and --clear-claim both name ${both[0]}. Keep one of them.`);
  }
  if (mapped.length + cleared.length === 0) return undefined;
  return Object.fromEntries([
    ...mapped.map(([attribute, claim]) => [attribute, set(claim)] as const),
    ...cleared.map((attribute) => [attribute, clear] as const),
  ]);
}
