/** Owns how it is told why a rule is not true: the smallest parts that kept it from it, and what they saw. */
import type { VerdictExplanation } from '../../../gen/claimgate/v1/explanation_pb.ts';

export function Explanation({ explanation }: { readonly explanation: VerdictExplanation }) {
  const { summary, causes, missingClaims } = explanation;
  return (
    <div className="explanation">
      {summary !== '' && <p>{summary}</p>}
      {causes.length > 0 && (
        <ul>
          {causes.map((cause) => (
            <li key={`${cause.line}:${cause.column} ${cause.expression}`}>
              <code>{cause.expression}</code> {cause.message}
              {cause.seen.map(({ expression, value }) => (
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
              ))}
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
