/** Owns the claims that a rule is tried on: typed, an example, or those of a real login attempt. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { Sample } from '../sample-claims.ts';
import { AttemptPicker } from './attempt-picker.tsx';
import { Button } from './button.tsx';
import { CodeEditor } from './code-editor.tsx';
import type { CodeProblem } from './code-editor-extensions.ts';

export interface RuleSampleProps {
  readonly ssoConfigurationId: string;
  readonly sample: Sample;
  readonly onChange: (sample: Sample) => void;
  /** Back to the example. */
  readonly onReset: () => void;
  readonly problem: CodeProblem | undefined;
  /** What the rule says of it. */
  readonly children: ReactNode;
}

export function RuleSample(props: RuleSampleProps) {
  const { ssoConfigurationId, sample, onChange, onReset, problem, children } = props;
  const { claims, attemptId } = sample;
  return (
    <section className="card" aria-labelledby="sample">
      <h2 id="sample">Try it on sample claims</h2>
      <div className="side-by-side">
        <div>
          <CodeEditor
            label="Sample claims, a JSON object"
            language="json"
            value={claims}
            onChange={(changed) => onChange({ ...sample, claims: changed })}
            problem={problem}
          />
          <div className="actions">
            <AttemptPicker ssoConfigurationId={ssoConfigurationId} onPick={onChange} />
            <Button kind="quiet" onPress={onReset}>
              Back to the example
            </Button>
          </div>
          {attemptId !== undefined && (
            <p className="note">
              These came in <Link href={`/attempts/${attemptId}`}>a real login attempt</Link>. They
              say who somebody is: show them to nobody who need not know.
            </p>
          )}
        </div>
        {children}
      </div>
    </section>
  );
}
