/**
 * Owns the guard rail of changes: one that was asked for with it is not made if it would shut out somebody who signed
 * in during the last days.
 */
import { assertMayWrite } from './access.ts';
import type { Principal } from './access.ts';
import { previewShutOut, ShutOutError } from './claims-preview.ts';
import type { ClaimsPreview } from './claims-preview.ts';
import type { Environment } from './ports.ts';
import { checkSsoConfiguration } from './sso-configuration-rules.ts';
import { applyChange, getSsoConfiguration, updateSsoConfiguration } from './sso-configuration.ts';
import type { SsoConfiguration, SsoConfigurationChange } from './sso-configuration.ts';

/** Whoever got in within it counts, in milliseconds. */
const GUARDED_TIME = 7 * 24 * 60 * 60 * 1000;

/** Of those shut out, so many are named in the message. */
const NAMED = 3;

/**
 * As `updateSsoConfiguration`; fails with `ShutOutError` for a change of rule, mapping or email domains that would shut
 * out anyone who got in during the last 7 days. That is judged by the claims kept of login attempts: where none are
 * kept, nobody is known.
 */
export async function updateSsoConfigurationGuarded(
  env: Environment,
  caller: Principal,
  id: string,
  change: SsoConfigurationChange,
): Promise<SsoConfiguration> {
  assertMayWrite(caller);
  const current = await getSsoConfiguration(env, caller, id);
  const changed = applyChange(current, change);
  // What cannot be stored is refused as that, and not as something that shuts everybody out.
  checkSsoConfiguration(changed, change, {
    allowHttpIssuers: env.allowHttpIssuers,
    scopesField: 'additional_scopes.scopes',
  });
  if (decidesOtherwise(current, changed)) {
    const since = new Date(env.now().getTime() - GUARDED_TIME);
    const preview = await previewShutOut(env, current, changed, since);
    if (preview.shutOutCount > 0 || !preview.complete) {
      throw new ShutOutError(describeRefusal(preview), preview);
    }
  }
  // What was looked at is what is changed.
  return updateSsoConfiguration(env, caller, id, change, current.revision);
}

function decidesOtherwise(current: SsoConfiguration, changed: SsoConfiguration): boolean {
  const rules = ({ claims, claimsExpression, emailDomains }: SsoConfiguration) =>
    JSON.stringify([claims, claimsExpression, emailDomains]);
  return rules(current) !== rules(changed);
}

function describeRefusal({ shutOut, shutOutCount, complete }: ClaimsPreview): string {
  const advice =
    'Look at the preview and change it, or send it without "Claimgate-Preview: enforce" to make it all the same.';
  if (shutOutCount === 0 && !complete) {
    return `Not all of those who signed in during the last 7 days could be tried. ${advice}`;
  }
  const names = shutOut.slice(0, NAMED).map(({ attempt }) => attempt.maskedEmail || 'someone');
  const others = shutOutCount - names.length;
  const who = others > 0 ? `${names.join(', ')} and ${others} more` : names.join(', ');
  return `This change would shut out ${who}, who signed in during the last 7 days. ${advice}`;
}
