/** Owns the preview of a rule on people who have signed in, and its saving under the guard. */
import { useMutation } from '@connectrpc/connect-query';
import { useState } from 'react';

import { SSOConfigurationService } from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { SSOConfiguration } from '../../../gen/gitpod/v1/organization_pb.ts';
import { clear, set } from '../../client/change.ts';
import { useGuardedUpdate } from '../guarded-update.ts';
import { useWorkplace } from '../organization.tsx';
import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { focusHeading } from './focus-heading.ts';
import { RulePreview } from './rule-preview.tsx';
import { ShutOutNotice } from './shut-out-notice.tsx';

export interface RuleSavingProps {
  readonly stored: SSOConfiguration;
  /** As it is typed. */
  readonly expression: string;
  readonly isChanged: boolean;
  readonly onUndo: () => void;
}

export function RuleSaving({ stored, expression, isChanged, onUndo }: RuleSavingProps) {
  const { mayWrite } = useWorkplace();
  // The button that was pressed may be gone by then.
  const update = useGuardedUpdate(stored.id, () => {
    if (document.activeElement === document.body) focusHeading();
  });
  const preview = useMutation(SSOConfigurationService.method.previewClaimsExpression);
  const [tried, setTried] = useState<string>();
  // What was told of another text is not shown beside this one.
  const shutOut = tried === expression ? update.shutOut : undefined;
  const isPreviewed = preview.variables?.claimsExpression === expression;
  const previewed = isPreviewed ? preview.data : undefined;
  const previewError = isPreviewed ? preview.error : null;
  const save = (): void => {
    setTried(expression);
    update.save({ claimsExpression: expression.trim() === '' ? clear : set(expression) });
  };
  return (
    <>
      <div className="actions">
        <Button
          isPending={preview.isPending}
          isDisabled={!isChanged}
          onPress={() =>
            preview.mutate({ ssoConfigurationId: stored.id, claimsExpression: expression })
          }
        >
          Preview
        </Button>
        {mayWrite && (
          <Button
            kind="primary"
            isPending={update.isPending}
            isDisabled={!isChanged}
            onPress={save}
          >
            Save the rule
          </Button>
        )}
        {isChanged && (
          <Button kind="quiet" onPress={onUndo}>
            Undo
          </Button>
        )}
        <output className="note">
          {update.isSaved && !isChanged && 'Saved. It decides from the next sign-in on.'}
          {!isChanged && !update.isSaved && 'This is the rule that decides now.'}
        </output>
      </div>
      <div aria-live="polite">
        {preview.isPending && <p className="note">Trying it on the people who signed in lately…</p>}
        {previewError !== null && (
          <ErrorNotice error={previewError} title="There is no preview of this rule" />
        )}
        {previewed !== undefined && isChanged && shutOut === undefined && (
          <RulePreview preview={previewed} />
        )}
      </div>
      {shutOut !== undefined && (
        <ShutOutNotice
          preview={shutOut}
          isPending={update.isPending}
          onAnyway={update.saveAnyway}
          onCancel={update.reset}
        />
      )}
      {tried === expression && update.error !== null && (
        <ErrorNotice error={update.error} title="The rule was not saved" />
      )}
    </>
  );
}
