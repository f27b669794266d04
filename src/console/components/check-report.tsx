/** Owns how the report of a check looks: stage by stage, what was seen and what to do. */
import { useMutation } from '@connectrpc/connect-query';
import type { MessageInitShape } from '@bufbuild/protobuf';

import {
  CheckOutcome,
  SSOConfigurationService,
} from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import type {
  CheckSSOConfigurationRequestSchema,
  CheckSSOConfigurationResponse,
  CheckStage,
} from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { StatusBadge } from './status-badge.tsx';
import type { Tone } from './status-badge.tsx';

const STAGES: Readonly<Record<string, string>> = {
  issuer: 'The issuer can be reached',
  discovery: 'Its discovery document is valid',
  keys: 'Its keys can be used',
  pkce: 'It supports PKCE',
  scopes: 'It offers the scopes',
  claims: 'It offers the claims that are used',
  client_authentication: 'It knows the client id and the secret',
  redirect_uri: 'The redirect URI is registered',
};

type Look = readonly [tone: Tone, word: string];

const UNKNOWN: Look = ['plain', 'Unknown'];

const OUTCOMES: Readonly<Partial<Record<CheckOutcome, Look>>> = {
  [CheckOutcome.PASSED]: ['good', 'Passed'],
  [CheckOutcome.FAILED]: ['wrong', 'Failed'],
  [CheckOutcome.WARNED]: ['warn', 'Look at this'],
  [CheckOutcome.SKIPPED]: ['plain', 'Not looked at'],
};

export function useCheck() {
  return useMutation(SSOConfigurationService.method.checkSSOConfiguration);
}

export interface CheckProps {
  readonly check: ReturnType<typeof useCheck>;
  /** What to check, as it stands now. */
  readonly getRequest: () => MessageInitShape<typeof CheckSSOConfigurationRequestSchema>;
  /** Fields whose violations the form shows. */
  readonly shownElsewhere?: readonly string[];
}

/** A button and what came of it. */
export function Check({ check, getRequest, shownElsewhere }: CheckProps) {
  return (
    <>
      <p>
        <Button isPending={check.isPending} onPress={() => check.mutate(getRequest())}>
          {check.data === undefined ? 'Check now' : 'Check again'}
        </Button>
      </p>
      <div aria-live="polite">
        {check.isPending && (
          <p className="note">Asking the identity provider. This takes up to 20 seconds.</p>
        )}
        {check.isError && (
          <ErrorNotice
            error={check.error}
            title="It could not be checked"
            shownElsewhere={shownElsewhere}
          />
        )}
        {check.isSuccess && <CheckReport report={check.data} />}
      </div>
    </>
  );
}

function CheckReport({ report }: { readonly report: CheckSSOConfigurationResponse }) {
  const { stages } = report;
  const count = (outcome: CheckOutcome): number =>
    stages.filter((stage) => stage.outcome === outcome).length;
  const failed = count(CheckOutcome.FAILED);
  const warned = count(CheckOutcome.WARNED);
  return (
    <>
      <p>
        <strong>
          {failed > 0
            ? 'People could not sign in like this. Mend what failed, then check again.'
            : warned > 0
              ? 'Nothing failed. Look at what is marked.'
              : 'All is as it should be.'}
        </strong>
      </p>
      <ol className="stages">
        {stages.map((stage) => (
          <Stage key={stage.name} stage={stage} />
        ))}
      </ol>
    </>
  );
}

function Stage({ stage }: { readonly stage: CheckStage }) {
  const [tone, word] = OUTCOMES[stage.outcome] ?? UNKNOWN;
  return (
    <li className={tone}>
      <div className="card-head">
        <strong>{STAGES[stage.name] ?? stage.name}</strong>
        <StatusBadge tone={tone}>{word}</StatusBadge>
      </div>
      {stage.seen !== '' && <p>{stage.seen}</p>}
      {stage.advice !== '' && <p className="advice">{stage.advice}</p>}
    </li>
  );
}
