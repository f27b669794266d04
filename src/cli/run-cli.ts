/** Owns one run of the command line: all commands, and what becomes of their failures. */
import { Command, CommanderError } from 'commander';

import { addAuditCommands } from './audit-commands.ts';
import { addBackupCommands } from './backup-commands.ts';
import { createCliContext } from './cli-context.ts';
import type { CliContext, CliStreams } from './cli-context.ts';
import { describeFailure } from './describe-failure.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addDomainCommands } from './domain-commands.ts';
import { chooseExitCode, describeExitCodes } from './exit-codes.ts';
import { addKeysCommands } from './keys-commands.ts';
import { addLoginCommands } from './login-commands.ts';
import { addMemberCommands } from './member-commands.ts';
import { addOrgCommands } from './org-commands.ts';
import { readVersion } from './read-version.ts';
import { addServeCommand } from './serve-command.ts';
import { addSsoCommands } from './sso-commands.ts';
import { addTokenCommands } from './token-commands.ts';

const USAGE = 2;

/** Runs what the arguments say, without the names of node and of the script. Resolves to the exit code. */
export async function runCli(args: readonly string[], streams: CliStreams): Promise<number> {
  const context = createCliContext(streams);
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return 0;
  } catch (reason) {
    // Commander has printed its help or its complaint already.
    if (reason instanceof CommanderError) return reason.exitCode === 0 ? 0 : USAGE;
    context.stderr.write(describeFailure(reason));
    return chooseExitCode(reason);
  }
}

function createProgram(context: CliContext): Command {
  const program = new Command('claimgate')
    .description("Enterprise SSO for a product's customers: the server, and its client.")
    .version(readVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'claimgate: ')),
    })
    .showHelpAfterError('"--help" shows what a command takes.')
    .addHelpText(
      'after',
      `
Environment, for all but serve, backup, restore, migrate, keys and doctor, which have the server's:
  CLAIMGATE_URL    where the server listens (http://127.0.0.1:8080)
  CLAIMGATE_TOKEN  personal access token to call with

Exit codes:
${describeExitCodes()}

Examples:
  $ claimgate serve
  $ export CLAIMGATE_TOKEN=...    # printed at the first start
  $ claimgate sso create --issuer-url https://idp.example.com --client-id claimgate \\
      --client-secret-file ./secret --email-domain example.com
  $ claimgate sso list`,
    );
  addServeCommand(program, context);
  addBackupCommands(program, context);
  addKeysCommands(program, context);
  addDoctorCommand(program, context);
  addSsoCommands(program, context);
  addDomainCommands(program, context);
  addOrgCommands(program, context);
  addMemberCommands(program, context);
  addTokenCommands(program, context);
  addLoginCommands(program, context);
  addAuditCommands(program, context);
  return program;
}
