/** Owns `claimgate sso preview`: whom a new rule would shut out and let in, of those who have tried to sign in. */
import type { Command } from 'commander';

import { PreviewClaimsExpressionResponseSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type {
  PreviewClaimsExpressionResponse,
  PreviewedPerson,
} from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { CliContext } from './cli-context.ts';
import { CommandFailure, UsageError } from './cli-errors.ts';
import { addConnectionOptions, connect, CONNECTION_HELP } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { ANSWER_IS_NO } from './exit-codes.ts';
import { formatText, formatTime, makePrintable } from './format-value.ts';
import { addPrintOptions, printJson, write } from './print.ts';
import type { PrintOptions } from './print.ts';
import { addClaimsExpressionOptions, readClaimsExpression } from './sso-input.ts';
import type { SsoInputOptions } from './sso-input.ts';

type PreviewOptions = ConnectionOptions & PrintOptions & SsoInputOptions;

export function addSsoPreviewCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('preview <id>')
    .description(
      'Tries a new CEL rule on the login attempts that are kept. Nothing is changed by it.',
    );
  addConnectionOptions(addPrintOptions(addClaimsExpressionOptions(command)))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Ends with 7 when somebody would be shut out, or when not all attempts could be looked at.

Examples:
  $ claimgate sso preview $ID --claims-expression '"staff" in claims.groups'
  $ claimgate sso preview $ID --claims-expression-file rule.cel --json | jq '.shutOut[].maskedEmail'`,
    )
    .action(async (ssoConfigurationId: string, options: PreviewOptions) => {
      const claimsExpression = await readClaimsExpression(context, options);
      if (claimsExpression === undefined) {
        throw new UsageError('Name the rule with --claims-expression or --claims-expression-file.');
      }
      const client = await connect(context, options);
      const preview = await client.ssoConfigurations.previewClaimsExpression({
        ssoConfigurationId,
        claimsExpression,
      });
      await print(context, options, preview);
      if (preview.shutOutCount > 0 || !preview.complete) throw new CommandFailure(ANSWER_IS_NO, '');
    });
}

async function print(
  context: CliContext,
  options: PrintOptions,
  preview: PreviewClaimsExpressionResponse,
): Promise<void> {
  if (options.json === true) {
    return printJson(context, PreviewClaimsExpressionResponseSchema, preview);
  }
  const { replayedAttempts, people, shutOut, letIn, shutOutCount, letInCount, complete } = preview;
  const lines = [
    `Looked at ${replayedAttempts} login attempts of ${people} people${complete ? '' : ', and not at all there are'}.`,
    `${shutOutCount} would be shut out${shutOutCount === 0 ? '.' : ':'}`,
    ...shutOut.flatMap(formatPerson),
    ...formatOthers(shutOutCount - shutOut.length),
    `${letInCount} would be let in${letInCount === 0 ? '.' : ':'}`,
    ...letIn.flatMap(formatPerson),
    ...formatOthers(letInCount - letIn.length),
  ];
  return write(context, `${lines.join('\n')}\n`);
}

function formatPerson(person: PreviewedPerson): readonly string[] {
  const { maskedEmail, endedAt, loginAttemptId, explanation, detail } = person;
  return [
    `  ${formatText(maskedEmail)}  last seen ${formatTime(endedAt)}  attempt ${formatText(loginAttemptId)}`,
    `    ${makePrintable(explanation?.summary ?? detail)}`,
  ];
}

function formatOthers(count: number): readonly string[] {
  return count > 0 ? [`  and ${count} more`] : [];
}
