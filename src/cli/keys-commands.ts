/** Owns `claimgate keys`: the keys that secrets are encrypted under, and those that sign ID tokens. */
import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { CommandFailure } from './cli-errors.ts';
import { ANSWER_IS_NO, REFUSED } from './exit-codes.ts';
import { formatCount } from './format-value.ts';
import { addPrintOptions } from './print.ts';
import type { PrintOptions } from './print.ts';
import { createProgressLine } from './progress.ts';
import { printResult, runOperation, STORE_HELP } from './run-operation.ts';

export function addKeysCommands(program: Command, context: CliContext): void {
  const keys = program
    .command('keys')
    .summary('list, add and rotate keys')
    .description(
      'Keys that secrets in the store are encrypted under, and keys that sign ID tokens.',
    )
    .addHelpText(
      'after',
      `
To change the key that secrets are encrypted under:

  1. claimgate keys add           a new key in front of the list; the old ones stay
  2. restart every server         each must have the new list before the next step
  3. claimgate keys rotate        encrypts all secrets anew, while the servers run
  4. take the old key out of the list once "keys list" counts no secrets under it, and restart again

With several servers, which are restarted one after another, one that has the new key writes
secrets that the others cannot read yet. Let them all know it first: "keys add --last", restart
all, move the new key to the front, restart all, then rotate. Keep old keys with the backups that were
made under them.`,
    );
  addList(keys, context);
  addAdd(keys, context);
  addRotate(keys, context);
}

function addList(keys: Command, context: CliContext): void {
  const command = keys
    .command('list')
    .description(
      'Lists all keys: how many secrets are under each, and where each signing key is in its life.',
    );
  addPrintOptions(command)
    .addHelpText(
      'after',
      `${STORE_HELP}

Ends with 7 when secrets are under a key that is not in the list.`,
    )
    .action(async (options: PrintOptions) => {
      const list = await runOperation(({ listAllKeys }) => listAllKeys(context.env));
      const { place = 'none are here', encryptionKeys, signingKeys } = list;
      await printResult(context, options, list, [
        `Encryption keys (${place}):`,
        ...encryptionKeys.map(
          ({ id, use, secrets }) => `  ${id}  ${use}  ${formatCount(secrets, 'secret')}`,
        ),
        'Signing keys of ID tokens:',
        ...signingKeys.map(
          ({ id, state, createdAt, until }) =>
            `  ${id}  ${state}${until === undefined ? '' : state === 'retired' ? `, published until ${until.toISOString()}` : `, signs from ${until.toISOString()}`}  made ${createdAt.toISOString()}`,
        ),
      ]);
      const missing = encryptionKeys.filter(({ use }) => use === 'missing');
      if (missing.length === 0) return;
      throw new CommandFailure(
        ANSWER_IS_NO,
        `Secrets are under keys that are not in the list: ${missing.map(({ id }) => id).join(', ')}. Put them back; without them these secrets cannot be read.`,
      );
    });
}

function addAdd(keys: Command, context: CliContext): void {
  const command = keys
    .command('add')
    .description(
      'Makes a new encryption key: in the key file, or printed as the new value of CLAIMGATE_ENCRYPTION_KEYS where that is set.',
    )
    .option('--last', 'behind the others, so that it decrypts and does not encrypt yet');
  addPrintOptions(command)
    .addHelpText(
      'after',
      `${STORE_HELP}

Where CLAIMGATE_ENCRYPTION_KEYS is set, all keys, the new one included, go to standard output. THEY ARE SECRET:
send them straight to where secrets are kept, and not into a log.

Examples:
  $ claimgate keys add
  $ claimgate keys add > new-keys && chmod 600 new-keys    # with CLAIMGATE_ENCRYPTION_KEYS`,
    )
    .action(async (options: PrintOptions & { readonly last?: boolean }) => {
      const place = options.last === true ? 'last' : 'first';
      const added = await runOperation(({ addEncryptionKey }) =>
        addEncryptionKey(context.env, place),
      );
      const { id, file, value } = added;
      const next =
        place === 'first'
          ? 'Restart every server, then run "claimgate keys rotate".'
          : 'Restart every server, then move the new key to the front of the list and restart them again.';
      if (value !== undefined) {
        context.stderr.write(
          `The new value of CLAIMGATE_ENCRYPTION_KEYS, with the new key ${id}, follows on standard output. It is a secret. Set it for every server. ${next}\n`,
        );
      }
      await printResult(context, options, added, [
        value ?? `The key ${id} is in ${file ?? ''} now. Keep a copy of that file. ${next}`,
      ]);
    });
}

function addRotate(keys: Command, context: CliContext): void {
  const command = keys
    .command('rotate')
    .description(
      'Encrypts all secrets anew under the first encryption key while servers run; or, with --signing, makes a new signing key.',
    )
    .option('--signing', 'make a successor of the key that signs ID tokens instead');
  addPrintOptions(command)
    .addHelpText(
      'after',
      `${STORE_HELP}

Every server must have the first key of the list already: see claimgate keys --help. It may be ended
at any time and run again; what is done stays done. Ends with 5 when secrets are left that do not
open.

A new signing key is published for 10 minutes before it signs, so that whoever verifies tokens knows
it by then; the old one stays published until its last token has expired, and is then forgotten.
Servers need no restart.`,
    )
    .action((options: PrintOptions & { readonly signing?: boolean }) =>
      options.signing === true
        ? rotateSigning(context, options)
        : rotateEncryption(context, options),
    );
}

async function rotateEncryption(context: CliContext, options: PrintOptions): Promise<void> {
  const progress = createProgressLine(context);
  const report = await runOperation(({ rotateEncryptionKeys }) =>
    rotateEncryptionKeys(context.env, progress.note),
  ).finally(progress.end);
  const { keyId, resealed, remaining, otherKeyIds, place, problems } = report;
  await printResult(context, options, report, [
    `Encrypted ${formatCount(resealed, 'secret')} anew under ${keyId}; under other keys remain ${remaining.toLocaleString('en')}.`,
    ...(remaining === 0 && otherKeyIds.length > 0
      ? [
          `Once every server runs with ${keyId} first, ${otherKeyIds.join(', ')} may be taken out of ${place}. Keep a copy as long as you keep backups from before.`,
        ]
      : []),
  ]);
  const reasons = [...new Set(problems.map(({ reason }) => reason))];
  if (reasons.length > 0) {
    throw new CommandFailure(
      REFUSED,
      `Some secrets do not open: ${reasons.join(' ')} Put the missing keys back into ${place} and run it again.`,
    );
  }
  if (remaining > 0) {
    throw new CommandFailure(
      REFUSED,
      'Secrets were written under another key meanwhile: a server runs without the new list. Restart every server, and run it again.',
    );
  }
}

async function rotateSigning(context: CliContext, options: PrintOptions): Promise<void> {
  const rotation = await runOperation(({ rotateSigningKeys }) => rotateSigningKeys(context.env));
  const { key, made } = rotation;
  const from =
    key.until === undefined ? 'It signs now.' : `It signs from ${key.until.toISOString()}.`;
  await printResult(context, options, rotation, [
    made
      ? `The signing key ${key.id} is published. ${from}`
      : `The signing key ${key.id} was made already, and waits for its turn. ${from}`,
  ]);
}
