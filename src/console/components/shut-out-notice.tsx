/** Owns how it is told that a change would shut people out, with the way to make it anyway. */
import { useState } from 'react';

import type { PreviewClaimsExpressionResponse } from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import { Button } from './button.tsx';

const SHOWN = 10;

export interface ShutOutNoticeProps {
  readonly preview: PreviewClaimsExpressionResponse;
  readonly isPending: boolean;
  readonly onAnyway: () => void;
  readonly onCancel: () => void;
}

export function ShutOutNotice({ preview, isPending, onAnyway, onCancel }: ShutOutNoticeProps) {
  const { shutOut, shutOutCount, complete } = preview;
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? shutOut : shutOut.slice(0, SHOWN);
  return (
    <div className="notice warn" role="alert">
      <h2>
        {shutOutCount === 0
          ? 'Nobody knows whom this shuts out'
          : `This would shut out ${shutOutCount === 1 ? 'a person' : `${shutOutCount} people`}`}
      </h2>
      <p>
        Nothing has been changed yet. They signed in during the last 7 days and could not again:
      </p>
      {!complete && <p>Not all sign-ins could be tried in time, so there may be more.</p>}
      <ul>
        {shown.map(({ loginAttemptId, maskedEmail, detail }) => (
          <li key={loginAttemptId}>
            <bdi>{maskedEmail === '' ? 'Somebody without an email' : maskedEmail}</bdi>: {detail}
          </li>
        ))}
      </ul>
      {shown.length < shutOut.length && (
        <p>
          <Button kind="quiet" onPress={() => setWhole(true)}>
            Show all {String(shutOut.length)}
          </Button>
        </p>
      )}
      <div className="actions">
        <Button onPress={onCancel}>Leave it as it is</Button>
        <Button kind="danger" isPending={isPending} onPress={onAnyway}>
          Save anyway
        </Button>
      </div>
    </div>
  );
}
