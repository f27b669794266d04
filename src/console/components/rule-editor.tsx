/**
 * Owns the work on a configuration's rule: the text, sample claims with what the rule says of them, the preview on
 * people who have signed in, and the saving.
 */
import { useMutation, useQuery } from '@connectrpc/connect-query';
import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import type { LoginAttempt } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import { SSOConfigurationService } from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { SSOConfiguration } from '../../../gen/gitpod/v1/organization_pb.ts';
import { clear, set } from '../../client/change.ts';
import { useGuardedUpdate } from '../guarded-update.ts';
import { useWorkplace } from '../organization.tsx';
import { RULE_EXAMPLES } from '../rule-examples.ts';
import {
  collectClaims,
  createExampleClaims,
  findClaimsProblem,
  writeClaims,
} from '../sample-claims.ts';
import { useDebounced } from '../use-debounced.ts';
import { AttemptPicker } from './attempt-picker.tsx';
import { Button } from './button.tsx';
import { CodeEditor } from './code-editor.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { focusHeading } from './focus-heading.ts';
import { Loading } from './loading.tsx';
import { RulePreview } from './rule-preview.tsx';
import { ShutOutNotice } from './shut-out-notice.tsx';
import { Verdict } from './verdict.tsx';

/** A configuration may ask 300 times a minute. */
const PAUSE_MS = 350;

/** In characters, as the contract has it. */
const MAX_EXPRESSION = 4096;

export interface RuleEditorProps {
  readonly stored: SSOConfiguration;
  /** Whose claims the rule is tried on first. */
  readonly attempt?: LoginAttempt | undefined;
}

export function RuleEditor({ stored, attempt }: RuleEditorProps) {
  const [expression, setExpression] = useState(stored.claimsExpression);
  const [claims, setClaims] = useState(() =>
    attempt === undefined
      ? createExampleClaims(stored.emailDomains[0])
      : writeClaims(collectClaims(attempt)),
  );
  const [taken, setTaken] = useState(attempt);
  const isChanged = expression !== stored.claimsExpression;
  useWarningOfLoss(isChanged);
  const claimsProblem = findClaimsProblem(claims);
  // An expression can be read without claims, so broken ones do not hide what is wrong with it.
  const askedExpression = useDebounced(expression, PAUSE_MS);
  const claimsJson = useDebounced(claimsProblem === undefined ? claims : '{}', PAUSE_MS);
  const evaluation = useQuery(
    SSOConfigurationService.method.evaluateClaims,
    { expression: askedExpression, claimsJson, claimsMapping: stored.claims },
    { placeholderData: keepPreviousData, staleTime: Infinity },
  );
  const tooLong = expression.length > MAX_EXPRESSION;
  const error = askedExpression === expression ? evaluation.data?.expressionError : undefined;
  return (
    <>
      <section className="card" aria-labelledby="rule">
        <h2 id="rule">The rule</h2>
        <CodeEditor
          label="Rule, a CEL expression over the claims"
          language="cel"
          value={expression}
          onChange={setExpression}
          placeholder="Without a rule, everybody gets in whom the identity provider vouches for."
          problem={error}
          isReadOnly={!useWorkplace().mayWrite}
        />
        {tooLong && (
          <p className="field-error">
            A rule has at most 4,096 characters; this one has {expression.length}.
          </p>
        )}
        <p className="note">
          Only exactly <code>true</code> lets in. An absent claim shuts out; ask{' '}
          <code>has(claims.groups)</code> where one may be absent.
        </p>
        {expression.trim() === '' && (
          <Examples emailDomain={stored.emailDomains[0]} onChoose={setExpression} />
        )}
        <Saving
          stored={stored}
          expression={expression}
          isChanged={isChanged}
          onUndo={() => setExpression(stored.claimsExpression)}
        />
      </section>
      <section className="card" aria-labelledby="sample">
        <h2 id="sample">Try it on sample claims</h2>
        <div className="side-by-side">
          <div>
            <CodeEditor
              label="Sample claims, a JSON object"
              language="json"
              value={claims}
              onChange={setClaims}
              problem={claimsProblem}
            />
            <div className="actions">
              <AttemptPicker
                ssoConfigurationId={stored.id}
                onPick={(picked) => {
                  setTaken(picked);
                  setClaims(writeClaims(collectClaims(picked)));
                }}
              />
              <Button
                kind="quiet"
                onPress={() => {
                  setTaken(undefined);
                  setClaims(createExampleClaims(stored.emailDomains[0]));
                }}
              >
                Back to the example
              </Button>
            </div>
            {taken !== undefined && (
              <p className="note">
                From the attempt <code>{taken.id}</code>: what the rule looked at then. Add the
                other claims that a new rule is to look at.
              </p>
            )}
          </div>
          <div aria-live="polite" aria-busy={evaluation.isFetching}>
            {evaluation.isError && (
              <ErrorNotice
                error={evaluation.error}
                title="The rule could not be tried"
                onRetry={() => void evaluation.refetch()}
              />
            )}
            {evaluation.isPending && <Loading what="the verdict" />}
            {claimsProblem === undefined
              ? evaluation.data !== undefined && <Verdict answer={evaluation.data} />
              : evaluation.isSuccess && (
                  <p className="notice warn">
                    Mend the sample claims, then it is told here what the rule says of them.
                  </p>
                )}
          </div>
        </div>
      </section>
    </>
  );
}

function Examples({
  emailDomain = 'example.com',
  onChoose,
}: {
  readonly emailDomain: string | undefined;
  readonly onChoose: (expression: string) => void;
}) {
  return (
    <fieldset className="examples">
      <legend className="note">Begin with one of these:</legend>
      {RULE_EXAMPLES.map(({ title, build }) => (
        <Button key={title} onPress={() => onChoose(build(emailDomain))}>
          {title}
        </Button>
      ))}
    </fieldset>
  );
}

/** The preview, and the saving under the guard. */
function Saving({
  stored,
  expression,
  isChanged,
  onUndo,
}: {
  readonly stored: SSOConfiguration;
  readonly expression: string;
  readonly isChanged: boolean;
  readonly onUndo: () => void;
}) {
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

/** The browser asks before a tab is closed whose work is not saved. */
function useWarningOfLoss(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [isChanged]);
}
