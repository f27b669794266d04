/** Owns how it is told whom a new rule would shut out and whom it would let in. */
import type {
  PreviewClaimsExpressionResponse,
  PreviewedPerson,
} from '../../../gen/claimgate/v1/sso_configuration_pb.ts';
import { Explanation } from './explanation.tsx';
import { Moment } from './moment.tsx';

export function RulePreview({ preview }: { readonly preview: PreviewClaimsExpressionResponse }) {
  const { people, replayedAttempts, shutOut, shutOutCount, letIn, letInCount, complete } = preview;
  if (people === 0) {
    return (
      <div className="notice">
        <h3>Nobody to try it on yet</h3>
        <p>
          No sign-in through this configuration has its claims kept. After the first ones you see
          here whom a new rule would shut out; until then, try it on the sample claims.
        </p>
      </div>
    );
  }
  const isSame = shutOutCount === 0 && letInCount === 0;
  return (
    <div className={`notice ${shutOutCount > 0 ? 'warn' : 'good'}`}>
      <h3>
        {isSame
          ? 'It changes nothing for anybody'
          : `It would ${describeChange(shutOutCount, letInCount)}`}
      </h3>
      <p>
        Tried on the newest sign-in of each of {countPeople(people)} (
        {replayedAttempts === 1 ? 'one attempt' : `${replayedAttempts} attempts`} kept).{' '}
        {!complete && 'The rule is so costly that not all could be tried in time. '}
        Nothing has been changed.
      </p>
      <People title="Would be shut out" people={shutOut} count={shutOutCount} />
      <People title="Would be let in" people={letIn} count={letInCount} />
    </div>
  );
}

function People({
  title,
  people,
  count,
}: {
  readonly title: string;
  readonly people: readonly PreviewedPerson[];
  readonly count: number;
}) {
  if (count === 0) return null;
  return (
    <>
      <h4>
        {title} ({count})
      </h4>
      <ul className="people">
        {people.map(({ loginAttemptId, maskedEmail, endedAt, detail, explanation }) => (
          <li key={loginAttemptId}>
            <b>
              <bdi>{maskedEmail === '' ? 'Somebody without an email' : maskedEmail}</bdi>
            </b>
            , last tried <Moment at={endedAt} />
            {explanation === undefined ? (
              <p>{detail}</p>
            ) : (
              <Explanation explanation={explanation} />
            )}
          </li>
        ))}
      </ul>
      {count > people.length && <p className="note">The first {people.length} are shown.</p>}
    </>
  );
}

function countPeople(count: number): string {
  return count === 1 ? 'one person' : `${count} people`;
}

function describeChange(shutOut: number, letIn: number): string {
  const parts = [
    ...(shutOut > 0 ? [`shut out ${countPeople(shutOut)}`] : []),
    ...(letIn > 0 ? [`let in ${countPeople(letIn)}`] : []),
  ];
  return parts.join(' and ');
}
