/** Owns the test login: its start, the wait for whoever signs in, and what came of it. */
import { useMutation, useQuery } from '@connectrpc/connect-query';
import type { MessageInitShape } from '@bufbuild/protobuf';

import {
  SSOConfigurationService,
  TestLoginState,
} from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import type {
  StartTestLoginRequestSchema,
  StartTestLoginResponse,
  TestLoginReport,
} from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { Explanation } from './explanation.tsx';
import { StatusBadge } from './status-badge.tsx';

const POLL_MS = 2000;

export interface TestLoginProps {
  /** What to sign in through, as it stands now. */
  readonly getRequest: () => MessageInitShape<typeof StartTestLoginRequestSchema>;
  /** It is not saved. */
  readonly isDraft?: boolean;
}

export function TestLogin({ getRequest, isDraft = false }: TestLoginProps) {
  const start = useMutation(SSOConfigurationService.method.startTestLogin);
  return (
    <>
      <p>
        Sign in for real, as far as the report: nobody gets a session, and no account is made.{' '}
        {isDraft
          ? 'It goes by what stands here when it is prepared; nothing is saved.'
          : 'It works while the configuration is off, too.'}
      </p>
      <p>
        <Button isPending={start.isPending} onPress={() => start.mutate(getRequest())}>
          {start.data === undefined ? 'Prepare a test login' : 'Prepare another test login'}
        </Button>
      </p>
      {start.isError && (
        <ErrorNotice error={start.error} title="The test login could not be prepared" />
      )}
      {start.data !== undefined && <Prepared key={start.data.testLoginId} prepared={start.data} />}
    </>
  );
}

function Prepared({ prepared }: { readonly prepared: StartTestLoginResponse }) {
  const { testLoginId, url } = prepared;
  const { data, error, refetch } = useQuery(
    SSOConfigurationService.method.getTestLogin,
    { testLoginId },
    {
      refetchInterval: ({ state }) => (isGoingOn(state.data?.state) ? POLL_MS : false),
      staleTime: 0,
    },
  );
  const state = data?.state ?? TestLoginState.WAITING;
  return (
    <div aria-live="polite">
      {error !== null && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {state === TestLoginState.WAITING && (
        <>
          <p>
            <a className="button primary" href={url} target="_blank" rel="noopener noreferrer">
              Open the test login in a new tab
            </a>
          </p>
          <p className="note">
            The link works once, within 10 minutes, and shows the claims to whoever opens it. Sign
            in as somebody who is to get in; then, with another test login, as somebody who is not.
          </p>
        </>
      )}
      {state === TestLoginState.OPEN && (
        <p className="loading">
          <span className="spinner" aria-hidden="true" />
          Somebody is at the identity provider…
        </p>
      )}
      {state === TestLoginState.EXPIRED && (
        <p className="notice warn">It took more than 10 minutes. Prepare another test login.</p>
      )}
      {data?.report !== undefined && <Report report={data.report} />}
    </div>
  );
}

function isGoingOn(state: TestLoginState = TestLoginState.WAITING): boolean {
  return state === TestLoginState.WAITING || state === TestLoginState.OPEN;
}

function Report({ report }: { readonly report: TestLoginReport }) {
  const { wouldAdmit, maskedEmail, detail, consequence, claimNames, stage, reason } = report;
  return (
    <section className={`notice ${wouldAdmit ? 'good' : 'wrong'}`}>
      <h3>
        {wouldAdmit ? 'This person would get in' : 'This person would not get in'}{' '}
        {maskedEmail !== '' && (
          <span className="note">
            <bdi>{maskedEmail}</bdi>
          </span>
        )}
      </h3>
      {detail !== '' && <p>{detail}</p>}
      {consequence !== '' && <p>{consequence}</p>}
      {!wouldAdmit && (
        <p className="note">
          Stage <code>{stage}</code>, reason <code>{reason}</code>
        </p>
      )}
      {report.explanation !== undefined && <Explanation explanation={report.explanation} />}
      {claimNames.length > 0 && (
        <p className="badges">
          Claims that came:
          {claimNames.map((name) => (
            <StatusBadge key={name} tone="plain">
              {name}
            </StatusBadge>
          ))}
        </p>
      )}
    </section>
  );
}
