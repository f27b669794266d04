/**
 * Owns the work on a configuration's rule: the text, sample claims with what the rule says of them, the preview on
 * people who have signed in, and the saving.
 */
import { useQuery } from '@connectrpc/connect-query';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';

import { SSOConfigurationService } from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { SSOConfiguration } from '../../../gen/gitpod/v1/organization_pb.ts';
import { useWorkplace } from '../organization.tsx';
import { RULE_EXAMPLES } from '../rule-examples.ts';
import { createExampleClaims, findClaimsProblem, packClaims } from '../sample-claims.ts';
import type { Sample } from '../sample-claims.ts';
import { useUnsavedWork } from '../unsaved-work.ts';
import { useDebounced } from '../use-debounced.ts';
import { Button } from './button.tsx';
import { CodeEditor } from './code-editor.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { Loading } from './loading.tsx';
import { RuleSample } from './rule-sample.tsx';
import { RuleSaving } from './rule-saving.tsx';
import { Verdict } from './verdict.tsx';

/** A configuration may ask 300 times a minute. */
const PAUSE_MS = 350;

/** In characters, as the contract has it. */
const MAX_EXPRESSION = 4096;

export interface RuleEditorProps {
  readonly stored: SSOConfiguration;
  /** What the rule is tried on first; an example unless given. */
  readonly sample?: Sample | undefined;
}

export function RuleEditor({ stored, sample: given }: RuleEditorProps) {
  const [expression, setExpression] = useState(stored.claimsExpression);
  const [example] = stored.emailDomains;
  const [sample, setSample] = useState(() => given ?? { claims: createExampleClaims(example) });
  const isChanged = expression !== stored.claimsExpression;
  useUnsavedWork(isChanged);
  const claimsProblem = findClaimsProblem(sample.claims);
  // An expression can be read without claims, so broken ones do not hide what is wrong with it.
  const askedExpression = useDebounced(expression, PAUSE_MS);
  const askedClaims = useDebounced(claimsProblem === undefined ? sample.claims : '{}', PAUSE_MS);
  const evaluation = useQuery(
    SSOConfigurationService.method.evaluateClaims,
    {
      expression: askedExpression,
      claimsJson: packClaims(askedClaims),
      claimsMapping: stored.claims,
    },
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
        <RuleSaving
          stored={stored}
          expression={expression}
          isChanged={isChanged}
          onUndo={() => setExpression(stored.claimsExpression)}
        />
      </section>
      <RuleSample
        ssoConfigurationId={stored.id}
        sample={sample}
        onChange={setSample}
        onReset={() => setSample({ claims: createExampleClaims(example) })}
        problem={claimsProblem}
      >
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
      </RuleSample>
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
