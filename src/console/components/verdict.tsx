/** Owns how it is told what a rule says of sample claims, while both are being typed. */
import type { EvaluateClaimsResponse } from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { MappedAttributes } from '../../../gen/claimgate/v1/explanation_pb.ts';
import { Explanation } from './explanation.tsx';

/** For a verdict that is not a plain `false`. */
const REASONS: Readonly<Record<string, string>> = {
  error: 'The rule could not be worked out for these claims, which shuts out as well.',
  not_bool: 'The rule gives something else than true or false, which shuts out as well.',
  over_budget:
    'The rule costs too much for these claims, which shuts out as well. Make it simpler.',
  claims_too_large: 'These claims are larger than a sign-in may bring.',
};

export function Verdict({ answer }: { readonly answer: EvaluateClaimsResponse }) {
  const { verdict, explanation, attributes, expressionError } = answer;
  if (expressionError !== undefined || verdict === undefined) {
    return (
      <div className="notice warn">
        <h3>The rule cannot be used yet</h3>
        <p>Mend what is marked in it. Nobody is affected: it is not saved.</p>
      </div>
    );
  }
  const { allowed, reason } = verdict;
  return (
    <div className={`notice ${allowed ? 'good' : 'wrong'}`}>
      <h3>
        {allowed ? 'A person with these claims gets in' : 'A person with these claims is shut out'}
      </h3>
      {REASONS[reason] !== undefined && <p>{REASONS[reason]}</p>}
      {!allowed && explanation !== undefined && <Explanation explanation={explanation} />}
      {attributes !== undefined && <Attributes attributes={attributes} />}
    </div>
  );
}

function Attributes({ attributes }: { readonly attributes: MappedAttributes }) {
  const { email, name, groups, emailVerified } = attributes;
  const rows = [
    ['Email', email === '' ? 'none, so no sign-in is possible' : email],
    ['Vouched for', describeVouching(emailVerified)],
    ['Name', name === '' ? 'none' : name],
    ['Groups', groups.length === 0 ? 'none' : groups.join(', ')],
  ] as const;
  return (
    <details>
      <summary>What the claims mapping makes of them</summary>
      <dl className="pairs">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function describeVouching(emailVerified: boolean | undefined): string {
  if (emailVerified === undefined)
    return 'nothing is said; a domain that is verified by DNS will do';
  return emailVerified ? 'yes' : 'no, so no sign-in is possible';
}
