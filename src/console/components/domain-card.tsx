/** Owns one domain: how far its proof has come, the record to publish, the look for it, its end. */
import { useMutation } from '@connectrpc/connect-query';

import {
  DomainVerificationState,
  OrganizationService,
} from '../../../gen/gitpod/v1/organization_pb.ts';
import type { DomainVerification } from '../../../gen/gitpod/v1/organization_pb.ts';
import { toClaimgateError } from '../../client/claimgate-error.ts';
import { useWorkplace } from '../organization.tsx';
import { refreshAll } from '../query-client.ts';
import { Button } from './button.tsx';
import { ConfirmEnding } from './confirm-ending.tsx';
import { CopyField } from './copy-field.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { focusHeading } from './focus-heading.ts';
import { Moment } from './moment.tsx';
import { StatusBadge } from './status-badge.tsx';

export interface DomainCardProps {
  readonly verification: DomainVerification;
  readonly tell: (message: string) => void;
}

export function DomainCard({ verification, tell }: DomainCardProps) {
  const { domain, state, verifiedAt, createdAt } = verification;
  const { mayWrite } = useWorkplace();
  const isVerified = state === DomainVerificationState.VERIFIED;
  return (
    <li className="card">
      <div className="card-head">
        <h2>
          <bdi>{domain}</bdi>
        </h2>
        <StatusBadge tone={isVerified ? 'good' : 'warn'}>
          {isVerified ? 'Verified' : 'Not verified yet'}
        </StatusBadge>
      </div>
      {isVerified ? (
        <p>
          Proved <Moment at={verifiedAt} isDateAlone />. People with an address of this domain are
          led to the configurations that name it. The record may be taken away.
        </p>
      ) : (
        <Proof verification={verification} tell={tell} />
      )}
      {isVerified && mayWrite && <Deletion verification={verification} tell={tell} />}
      {!isVerified && (
        <p className="note started">
          Added <Moment at={createdAt} isDateAlone />
        </p>
      )}
    </li>
  );
}

/** As the server looks it up. */
export function describeRecord({
  domain,
  verificationToken,
}: Pick<DomainVerification, 'domain' | 'verificationToken'>): {
  readonly name: string;
  readonly value: string;
} {
  return {
    name: `_claimgate-challenge.${domain.toLowerCase()}`,
    value: `claimgate-verification=${verificationToken}`,
  };
}

function Proof({ verification, tell }: DomainCardProps) {
  const { mayWrite } = useWorkplace();
  const { domain } = verification;
  const record = describeRecord(verification);
  const verify = useMutation(OrganizationService.method.verifyDomain, {
    onSuccess: async () => {
      await refreshAll();
      tell(`${domain} is verified.`);
      // The button that was pressed is gone.
      focusHeading();
    },
  });
  return (
    <>
      <ol className="steps">
        <li>
          Open the DNS settings of <b>{domain}</b>, where it was registered or where its name
          servers are, such as Cloudflare, Route 53 or GoDaddy.
        </li>
        <li>
          Add a record of the type <b>TXT</b> with this name and value:
        </li>
      </ol>
      <CopyField label="Name" value={record.name} />
      <p className="note">
        Some providers add the domain by themselves; then leave out of the name what they add.
      </p>
      <CopyField label="Value" value={record.value} />
      {mayWrite && (
        <div className="actions">
          <Button
            kind="primary"
            isPending={verify.isPending}
            onPress={() => verify.mutate({ domainVerificationId: verification.id })}
          >
            Look for the record
          </Button>
          <Deletion verification={verification} tell={tell} />
        </div>
      )}
      <div aria-live="polite">
        {verify.isPending && <p className="note">Asking DNS. This takes up to 20 seconds.</p>}
      </div>
      {verify.isError && <VerificationFailure error={verify.error} recordName={record.name} />}
    </>
  );
}

function VerificationFailure({
  error,
  recordName,
}: {
  readonly error: unknown;
  readonly recordName: string;
}) {
  const { code, message } = toClaimgateError(error);
  if (code !== 'failed_precondition')
    return <ErrorNotice error={error} title="It could not be looked for" />;
  return (
    <div className="notice warn" role="alert">
      <h3>The record is not there yet</h3>
      <p>{message}</p>
      <ul>
        <li>
          New records are often seen within minutes; some providers take up to an hour, and a day at
          worst. You can leave this page meanwhile.
        </li>
        <li>
          If the name in your provider’s list ends with the domain twice, leave the domain out of
          it.
        </li>
        <li>
          To see what the world sees: <code>dig TXT {recordName}</code>, or{' '}
          <code>nslookup -type=TXT {recordName}</code> on Windows.
        </li>
      </ul>
    </div>
  );
}

function Deletion({ verification, tell }: DomainCardProps) {
  const { domain, state, id } = verification;
  return (
    <ConfirmEnding
      action="Delete"
      triggerKind="danger"
      name={domain}
      title={`Delete ${domain}?`}
      method={OrganizationService.method.deleteDomainVerification}
      request={{ domainVerificationId: id }}
      onDone={async () => {
        await refreshAll();
        tell(`${domain} was deleted.`);
      }}
    >
      {state === DomainVerificationState.VERIFIED ? (
        <p>
          People with an address of {domain} can no longer sign in here, until it is added and
          verified again, with another record. Who is signed in stays signed in.
        </p>
      ) : (
        <p>The record that was shown here will be of no use any more.</p>
      )}
    </ConfirmEnding>
  );
}
