/** Owns the choice of a real sign-in whose claims a rule is tried on. */
import { useQuery } from '@connectrpc/connect-query';
import { useState } from 'react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

import { LoginAttemptService, LoginOutcome } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import { useWorkplace } from '../organization.tsx';
import { tellsClaims } from '../sample-claims.ts';
import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { Loading } from './loading.tsx';
import { Moment } from './moment.tsx';

const LOOKED_AT = 100;

export interface AttemptPickerProps {
  readonly ssoConfigurationId: string;
  readonly onPick: (attempt: LoginAttempt) => void;
}

export function AttemptPicker({ ssoConfigurationId, onPick }: AttemptPickerProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <Button>Take from a login attempt…</Button>
      <ModalOverlay className="modal-overlay" isDismissable>
        <Modal className="modal">
          <Dialog className="dialog">
            <Heading slot="title">Take from a login attempt</Heading>
            <Attempts
              ssoConfigurationId={ssoConfigurationId}
              onPick={(attempt) => {
                onPick(attempt);
                setOpen(false);
              }}
            />
            <div className="actions">
              <Button onPress={() => setOpen(false)}>Cancel</Button>
            </div>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}

function Attempts({ ssoConfigurationId, onPick }: AttemptPickerProps) {
  const { organizationId } = useWorkplace();
  const list = useQuery(LoginAttemptService.method.listLoginAttempts, {
    organizationId,
    pagination: { pageSize: LOOKED_AT, token: '' },
    filter: { ssoConfigurationId, outcome: LoginOutcome.REFUSED },
    explain: true,
  });
  const known = list.data?.loginAttempts.filter(tellsClaims) ?? [];
  if (list.isPending) return <Loading what="login attempts" />;
  if (list.isError) return <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (known.length === 0) {
    return (
      <p>
        There is none to take from. What the rule looked at is known of those that it refused, as
        long as their claims are kept. Or try a test login: its report shows all claims to whoever
        signs in, to be copied from there.
      </p>
    );
  }
  return (
    <>
      <p className="note">
        These the rule refused. Of their claims, those are taken that it looked at; the email is
        masked unless it is one of them.
      </p>
      <ul className="picks">
        {known.map((attempt) => (
          <li key={attempt.id}>
            <Button onPress={() => onPick(attempt)}>
              <bdi>{attempt.maskedEmail === '' ? 'Without an email' : attempt.maskedEmail}</bdi>,{' '}
              <Moment at={attempt.endedAt} />
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}
