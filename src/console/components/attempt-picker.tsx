/** Owns the choice of a real login attempt whose claims a rule is tried on. */
import { useInfiniteQuery, useMutation } from '@connectrpc/connect-query';
import { useState } from 'react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

import { LoginAttemptService, LoginOutcome } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import { useWorkplace } from '../organization.tsx';
import { BY_PAGES, FIRST_PAGE } from '../paging.ts';
import { readSample } from '../sample-claims.ts';
import type { Sample } from '../sample-claims.ts';
import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { Loading } from './loading.tsx';
import { Moment } from './moment.tsx';
import { ShowMore } from './show-more.tsx';

export interface AttemptPickerProps {
  readonly ssoConfigurationId: string;
  readonly onPick: (sample: Sample) => void;
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
              onPick={(sample) => {
                onPick(sample);
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
  const list = useInfiniteQuery(
    LoginAttemptService.method.listLoginAttempts,
    {
      organizationId,
      pagination: FIRST_PAGE,
      filter: { ssoConfigurationId, claimsKept: true },
    },
    BY_PAGES,
  );
  const read = useMutation(LoginAttemptService.method.getLoginAttempt, {
    onSuccess: (answer) => {
      const sample = readSample(answer);
      if (sample !== undefined) onPick(sample);
    },
  });
  const rows = list.data?.pages.flatMap(({ loginAttempts }) => loginAttempts) ?? [];
  if (list.isPending) return <Loading what="login attempts" />;
  if (list.isError && !list.isFetchNextPageError) {
    return <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />;
  }
  if (rows.length === 0) {
    return (
      <p>
        There is none to take from: nobody has come here through this configuration whose claims are
        still kept. Or try a test login: its report shows the claims to whoever signs in, to be
        copied from there.
      </p>
    );
  }
  return (
    <>
      <p className="note">The newest first. All claims that came are taken, as they came.</p>
      <ul className="picks">
        {rows.map(({ id, maskedEmail, endedAt, outcome }) => (
          <li key={id}>
            <Button
              isPending={read.isPending && read.variables.loginAttemptId === id}
              onPress={() => read.mutate({ loginAttemptId: id })}
            >
              <bdi>{maskedEmail === '' ? 'Without an email' : maskedEmail}</bdi>,{' '}
              {outcome === LoginOutcome.ADMITTED ? 'let in' : 'refused'} <Moment at={endedAt} />
            </Button>
          </li>
        ))}
      </ul>
      <ShowMore list={list} />
      {read.isError && (
        <ErrorNotice error={read.error} title="The login attempt could not be read" />
      )}
      {read.data?.claims !== undefined && read.data.claims.json === '' && (
        <p className="notice warn" role="alert">
          {read.data.claims.detail}
        </p>
      )}
    </>
  );
}
