/** Owns how it is told why a rule is not true: the smallest parts that kept it from it, and what they saw. */
import type { SeenValue, VerdictExplanation } from '../../../gen/claimgate/v1/explanation_pb.ts';

export function Explanation({ explanation }: { readonly explanation: VerdictExplanation }) {
  const { summary, causes, missingClaims } = explanation;
  const [onlyCause] = causes.length === 1 ? causes : [];
  return (
    <div className="explanation">
      {summary !== '' && <p>{summary}</p>}
      {/* The summary has said what a single cause is. */}
      {onlyCause !== undefined && onlyCause.seen.length > 0 && (
        <p>
          <Seen seen={onlyCause.seen} />
        </p>
      )}
      {causes.length > 1 && (
        <ul>
          {causes.map((cause) => (
            <li key={`${cause.line}:${cause.column} ${cause.expression}`}>
              <code>{cause.expression}</code> {cause.message}
              <Seen seen={cause.seen} />
              {cause.alternativeOf !== '' && (
                <span className="note seen">
                  One side of <code>{cause.alternativeOf}</code>; either would be enough.
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {missingClaims.length > 0 && (
        <ul>
          {missingClaims.map(({ claim, hint }) => (
            <li key={claim}>
              <code>{claim}</code> is missing. {hint}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Seen({ seen }: { readonly seen: readonly SeenValue[] }) {
  return seen.map(({ expression, value }) => (
    <span className="note seen" key={expression}>
      <code>{expression}</code>{' '}
      {value === '' ? (
        'is absent'
      ) : (
        <>
          is <code>{value}</code>
        </>
      )}
    </span>
  ));
}
