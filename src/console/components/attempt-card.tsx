/** Owns how one login attempt is told: how it ended, for whom, why, and what to do. */
import { useState } from 'react';
import { Link } from 'wouter';

import { LoginOutcome } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import { Explanation } from './explanation.tsx';
import { Moment } from './moment.tsx';
import { StatusBadge } from './status-badge.tsx';

export interface AttemptCardProps {
  readonly attempt: LoginAttempt;
  /** Of the configuration; absent when it is not known, or gone. */
  readonly configurationName: string | undefined;
  /** Everything is shown from the start. */
  readonly isOpen?: boolean;
}

export function AttemptCard({ attempt, configurationName, isOpen = false }: AttemptCardProps) {
  const { id, outcome, maskedEmail, endedAt, detail, stage, explanation } = attempt;
  const isAdmitted = outcome === LoginOutcome.ADMITTED;
  const [isShown, setShown] = useState(isOpen);
  return (
    <article className="card attempt">
      <div className="card-head">
        <h2>
          <bdi>{maskedEmail === '' ? 'Somebody without an email' : maskedEmail}</bdi>
        </h2>
        <StatusBadge tone={isAdmitted ? 'good' : 'wrong'}>
          {isAdmitted ? 'Let in' : 'Refused'}
        </StatusBadge>
      </div>
      <p className="note">
        <Moment at={endedAt} />
        {configurationName !== undefined && (
          <>
            {' '}
            through <bdi>{configurationName}</bdi>
          </>
        )}
      </p>
      {!(isShown && explanation !== undefined) && <p>{explanation?.summary ?? detail}</p>}
      <details open={isShown} onToggle={({ currentTarget }) => setShown(currentTarget.open)}>
        <summary>
          {isAdmitted ? 'Details' : 'Why, and what to do'}
          <span className="visually-hidden">
            {' '}
            for {maskedEmail === '' ? 'the attempt' : maskedEmail}
          </span>
        </summary>
        {isShown && (
          <>
            {explanation !== undefined && <Explanation explanation={explanation} />}
            <WhatToDo attempt={attempt} />
            <dl className="pairs">
              <Pair name="Attempt id">
                <code>{id}</code>
              </Pair>
              <Pair name="Came as far as">
                <code>{stage}</code>
              </Pair>
              {attempt.reason !== '' && (
                <Pair name="Reason">
                  <code>{attempt.reason}</code>
                </Pair>
              )}
              {attempt.address !== '' && <Pair name="From">{attempt.address}</Pair>}
            </dl>
            {!isOpen && <Link href={`/attempts/${id}`}>Link to this attempt</Link>}
          </>
        )}
      </details>
    </article>
  );
}

function Pair({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Where an admin goes from here. */
function WhatToDo({ attempt }: { readonly attempt: LoginAttempt }) {
  const { outcome, stage, id, ssoConfigurationId, claimsKept } = attempt;
  const page = `/configurations/${ssoConfigurationId}`;
  if (outcome === LoginOutcome.ADMITTED) {
    return (
      <p>
        <Link href={page}>The configuration</Link>
      </p>
    );
  }
  if (stage === 'policy') {
    return claimsKept ? (
      <p>
        Mend the claims at the identity provider, or{' '}
        <Link href={`${page}/rule?attempt=${id}`}>try another rule on this attempt</Link>.
      </p>
    ) : (
      <p>
        Mend the claims at the identity provider, or <Link href={`${page}/rule`}>the rule</Link>.
        The claims of this attempt are no longer kept, so that it cannot be told which part of the
        rule it was.
      </p>
    );
  }
  if (stage === 'person') {
    return (
      <p>
        Look at <Link href="/members">the members</Link>: whether the person is suspended.
      </p>
    );
  }
  return (
    <p>
      <Link href={page}>Check the configuration</Link>, or try a test login there.
    </p>
  );
}
