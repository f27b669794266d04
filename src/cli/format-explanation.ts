/** Owns how verdicts and explanations read on a terminal. */
import type {
  ClaimsVerdict,
  ExpressionError,
  MappedAttributes,
  VerdictExplanation,
} from '../../gen/claimgate/v1/explanation_pb.ts';
import { formatList, formatText, makePrintable } from './format-value.ts';

export function formatVerdict(
  verdict: ClaimsVerdict,
  explanation: VerdictExplanation | undefined,
): readonly string[] {
  const heading = verdict.allowed ? 'let in' : `refused (${verdict.reason})`;
  return [heading, ...(explanation === undefined ? [] : formatExplanation(explanation))];
}

/** The sentence, the causes below it with what they saw, and the claims that are missing. */
export function formatExplanation(explanation: VerdictExplanation): readonly string[] {
  const causes = explanation.causes.flatMap((cause) => [
    `  line ${cause.line}, column ${cause.column}: ${cause.expression} ${cause.message}`,
    ...(cause.alternativeOf === '' ? [] : [`    one side of: ${cause.alternativeOf}`]),
    ...cause.seen.map(({ expression, value }) =>
      value === '' ? `    ${expression} is absent` : `    ${expression} = ${value}`,
    ),
  ]);
  const missing = explanation.missingClaims.map(
    ({ claim, hint }) => `  missing claim ${claim}: ${hint}`,
  );
  return [explanation.summary, ...causes, ...missing].map(makePrintable);
}

export function formatExpressionError({ line, column, message }: ExpressionError): string {
  return makePrintable(`The expression cannot be used. Line ${line}, column ${column}: ${message}`);
}

export function formatAttributes(attributes: MappedAttributes): readonly string[] {
  const { email, name, picture, groups, emailVerified } = attributes;
  const verified = emailVerified === undefined ? 'not said' : emailVerified ? 'yes' : 'no';
  return [
    `Email           ${formatText(email)}`,
    `Email verified  ${verified}`,
    `Name            ${formatText(name)}`,
    `Picture         ${formatText(picture)}`,
    `Groups          ${formatList(groups)}`,
  ];
}
