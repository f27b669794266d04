/** Owns `claimgate login show`: one try to sign in, by the id that the person was shown, with its claims. */
import type { Command } from 'commander';

import {
  GetLoginAttemptResponseSchema,
  KeptClaimsState,
} from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type {
  GetLoginAttemptResponse,
  KeptClaims,
} from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { CliContext } from './cli-context.ts';
import { CommandFailure } from './cli-errors.ts';
import { addConnectionOptions, connect, CONNECTION_HELP } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { REFUSED } from './exit-codes.ts';
import { formatExplanation } from './format-explanation.ts';
import { formatText, makePrintable } from './format-value.ts';
import { LOGIN_ATTEMPT_COLUMNS } from './login-attempt-columns.ts';
import { addPrintOptions, formatBlock, printJson, write } from './print.ts';
import type { PrintOptions } from './print.ts';

interface ShowOptions extends ConnectionOptions, PrintOptions {
  readonly claims?: boolean;
}

/** Told below the others, over several lines. */
const OWN_LINES = new Set(['Explanation', 'Claims']);

const COLUMNS = LOGIN_ATTEMPT_COLUMNS.filter(({ title }) => !OWN_LINES.has(title));

export function addLoginShowCommand(login: Command, context: CliContext): void {
  const command = login
    .command('show <id>')
    .description(
      'Shows one try to sign in: how it ended, why, and the claims that are kept of it. For admins.',
    )
    .option('--claims', 'print the claims alone, as JSON; fails where none are kept');
  addConnectionOptions(addPrintOptions(command))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

A person who was refused is shown the id. The claims are personal data: they are shown whole.

Examples:
  $ claimgate login show 0190f3b2-7c1e-7000-8000-000000000000
  $ claimgate login show $ID --claims |
      claimgate sso evaluate --claims-file - --claims-expression-file rule.cel`,
    )
    .action(async (id: string, options: ShowOptions) => {
      const client = await connect(context, options);
      const answer = await client.loginAttempts.getLoginAttempt({ loginAttemptId: id });
      if (options.claims === true) return printClaims(context, answer.claims);
      if (options.json === true) {
        return printJson(context, GetLoginAttemptResponseSchema, answer);
      }
      return write(context, formatAttempt(answer));
    });
}

async function printClaims(context: CliContext, claims: KeptClaims | undefined): Promise<void> {
  if (claims?.state !== KeptClaimsState.KEPT) {
    throw new CommandFailure(REFUSED, claims?.detail ?? 'The server told no claims.');
  }
  return write(context, `${formatJson(claims.json)}\n`);
}

function formatAttempt({ loginAttempt, claims }: GetLoginAttemptResponse): string {
  const explanation = loginAttempt?.explanation;
  const parts = [
    loginAttempt === undefined ? '' : formatBlock(loginAttempt, COLUMNS),
    ...(explanation === undefined ? [] : [`${formatExplanation(explanation).join('\n')}\n`]),
    claims?.state === KeptClaimsState.KEPT
      ? `Claims\n${formatJson(claims.json)}\n`
      : `${formatText(claims?.detail ?? '')}\n`,
  ];
  return parts.join('\n');
}

/** Over several lines, and safe to look at: what is escaped stands in JSON's strings. */
function formatJson(json: string): string {
  const lines = JSON.stringify(JSON.parse(json), undefined, 2).split('\n');
  return lines.map(makePrintable).join('\n');
}
