/**
 * Owns changes to a configuration as the console makes them: first under the guard, which refuses what would shut out
 * people who signed in during the last days, then, if the admin wants it anyway, without.
 */
import { ConnectError } from '@connectrpc/connect';
import { useMutation } from '@tanstack/react-query';

import { PreviewClaimsExpressionResponseSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { PreviewClaimsExpressionResponse } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { toClaimgateError } from '../client/claimgate-error.ts';
import { updateSsoConfiguration } from '../client/update-sso-configuration.ts';
import type { SsoConfigurationChange } from '../client/update-sso-configuration.ts';
import { refreshAll } from './query-client.ts';
import { client } from './transport.ts';

export interface GuardedUpdate {
  /** Resolves when it is made; rejects with nothing that is not in `error` or `shutOut`. */
  readonly save: (change: SsoConfigurationChange) => void;
  /** Makes the change that was refused. */
  readonly saveAnyway: () => void;
  /** Forgets the refusal. */
  readonly reset: () => void;
  readonly isPending: boolean;
  readonly isSaved: boolean;
  /** Whom the refused change would shut out. */
  readonly shutOut: PreviewClaimsExpressionResponse | undefined;
  /** Why it failed otherwise. */
  readonly error: unknown;
}

interface Attempt {
  readonly change: SsoConfigurationChange;
  readonly anyway: boolean;
}

/** @param onSaved is called once it is made and all that is shown has been read again */
export function useGuardedUpdate(ssoConfigurationId: string, onSaved?: () => void): GuardedUpdate {
  const mutation = useMutation({
    mutationFn: async ({ change, anyway }: Attempt) => {
      const headers: HeadersInit = anyway ? {} : { 'claimgate-preview': 'enforce' };
      await updateSsoConfiguration(client, ssoConfigurationId, change, { headers });
      await refreshAll();
    },
    onSuccess: () => onSaved?.(),
  });
  const { error, variables } = mutation;
  const shutOut = error === null ? undefined : readShutOut(error);
  return {
    save: (change) => mutation.mutate({ change, anyway: false }),
    saveAnyway: () => {
      if (variables !== undefined) mutation.mutate({ change: variables.change, anyway: true });
    },
    reset: mutation.reset,
    isPending: mutation.isPending,
    isSaved: mutation.isSuccess,
    shutOut,
    error: shutOut === undefined ? error : null,
  };
}

/** The preview that comes with the refusal. */
function readShutOut(error: unknown): PreviewClaimsExpressionResponse | undefined {
  const { code, cause } = toClaimgateError(error);
  if (code !== 'failed_precondition' || !(cause instanceof ConnectError)) return undefined;
  return cause.findDetails(PreviewClaimsExpressionResponseSchema)[0];
}
