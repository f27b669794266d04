/** Owns one member: who it is, the role, and whether the person may come in. One's own row is not to be changed. */
import { useMutation } from '@connectrpc/connect-query';
import type { ReactNode } from 'react';

import { MemberService } from '../../../gen/claimgate/v1/member_pb.ts';
import { OrganizationRole, OrganizationService } from '../../../gen/gitpod/v1/organization_pb.ts';
import type { OrganizationMember } from '../../../gen/gitpod/v1/organization_pb.ts';
import { UserStatus } from '../../../gen/gitpod/v1/user_pb.ts';
import { toClaimgateError } from '../../client/claimgate-error.ts';
import { useWorkplace } from '../organization.tsx';
import { refreshAll } from '../query-client.ts';
import { Button } from './button.tsx';
import { ConfirmEnding } from './confirm-ending.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { Moment } from './moment.tsx';
import { SelectField } from './select-field.tsx';
import { StatusBadge } from './status-badge.tsx';

export const ROLES = [
  ['member', 'Member'],
  ['admin', 'Admin'],
] as const;
export type RoleChoice = (typeof ROLES)[number][0];

export const ROLE_OF: Readonly<Record<RoleChoice, OrganizationRole>> = {
  member: OrganizationRole.MEMBER,
  admin: OrganizationRole.ADMIN,
};

export interface MemberRowProps {
  readonly member: OrganizationMember;
  readonly tell: (message: string) => void;
}

export function MemberRow({ member, tell }: MemberRowProps) {
  const { session, mayWrite } = useWorkplace();
  const { fullName, email, status, role, memberSince, loginProvider, userId } = member;
  const isSelf = userId === session.user.id;
  const isSuspended = status === UserStatus.SUSPENDED;
  return (
    <li className="card member">
      <div className="card-head">
        <h2>
          <bdi>{fullName === '' ? email : fullName}</bdi>
        </h2>
        <span className="badges">
          {isSelf && <StatusBadge tone="plain">You</StatusBadge>}
          {isSuspended && <StatusBadge tone="wrong">Suspended</StatusBadge>}
          <StatusBadge tone={role === OrganizationRole.ADMIN ? 'good' : 'plain'}>
            {role === OrganizationRole.ADMIN ? 'Admin' : 'Member'}
          </StatusBadge>
        </span>
      </div>
      <p>
        <bdi>{email === '' ? 'No email address' : email}</bdi>
        <br />
        <span className="note">
          Since <Moment at={memberSince} isDateAlone />; signs in with{' '}
          <bdi>{describeProvider(loginProvider)}</bdi>
        </span>
      </p>
      {isSelf ? (
        <p className="note">
          Your own role and access are changed by another admin, so that nobody locks themselves
          out.
        </p>
      ) : (
        mayWrite && <Changes member={member} tell={tell} />
      )}
    </li>
  );
}

function describeProvider(loginProvider: string): string {
  if (loginProvider === 'token') return 'a token';
  return loginProvider === 'none yet' ? 'nothing yet: has not signed in' : loginProvider;
}

function Changes({ member, tell }: MemberRowProps) {
  const { organizationId } = useWorkplace();
  const { userId, role, status, email, fullName } = member;
  const name = fullName === '' ? email : fullName;
  const onDone = async (message: string): Promise<void> => {
    await refreshAll();
    tell(message);
  };
  const setRole = useMutation(OrganizationService.method.setRole, {
    onSuccess: async (_answer, request) =>
      onDone(
        `${name} is ${request.role === OrganizationRole.ADMIN ? 'an admin' : 'a member'} now.`,
      ),
  });
  const reinstate = useMutation(MemberService.method.reinstateMember, {
    onSuccess: async () => onDone(`${name} may sign in again.`),
  });
  const error = setRole.error ?? reinstate.error;
  const current: RoleChoice = role === OrganizationRole.ADMIN ? 'admin' : 'member';
  return (
    <>
      <div className="actions">
        <SelectField
          label={`Role of ${name}`}
          isLabelHidden
          options={ROLES}
          value={current}
          isDisabled={setRole.isPending}
          onChange={(chosen) => setRole.mutate({ organizationId, userId, role: ROLE_OF[chosen] })}
        />
        {status === UserStatus.SUSPENDED ? (
          <Button
            isPending={reinstate.isPending}
            aria-label={`Let in again: ${name}`}
            onPress={() => reinstate.mutate({ userId })}
          >
            Let in again
          </Button>
        ) : (
          <Suspension member={member} name={name} onDone={onDone} />
        )}
        <Removal member={member} name={name} onDone={onDone} />
      </div>
      {error !== null && (
        <>
          <ErrorNotice error={error} title="It was not changed" />
          {adviseOnLast(error)}
        </>
      )}
    </>
  );
}

interface EndProps {
  readonly member: OrganizationMember;
  readonly name: string;
  readonly onDone: (message: string) => Promise<void>;
}

function Suspension({ member, name, onDone }: EndProps) {
  return (
    <ConfirmEnding
      action="Suspend"
      name={name}
      title={`Suspend ${name}?`}
      method={MemberService.method.suspendMember}
      request={{ userId: member.userId }}
      onDone={() => onDone(`${name} is suspended.`)}
      advise={adviseOnLast}
    >
      <p>
        Sessions end at once; tokens and sign-ins are refused until the person is let in again, with
        the role and the tokens of before.
      </p>
    </ConfirmEnding>
  );
}

function Removal({ member, name, onDone }: EndProps) {
  return (
    <ConfirmEnding
      action="Remove"
      triggerKind="danger"
      name={name}
      title={`Remove ${name}?`}
      method={OrganizationService.method.leaveOrganization}
      request={{ userId: member.userId }}
      onDone={() => onDone(`${name} was removed.`)}
      advise={adviseOnLast}
    >
      <p>
        The person’s sessions and tokens end. Whoever the identity provider and the rule still let
        in comes back as a member at the next sign-in: to keep somebody out, suspend them, or take
        them out at the identity provider.
      </p>
    </ConfirmEnding>
  );
}

/** The last admin or operator stays, whoever asks. */
function adviseOnLast(error: unknown): ReactNode {
  if (error === null || toClaimgateError(error).code !== 'failed_precondition') return null;
  return <p>Make somebody else an admin first, then try again.</p>;
}
