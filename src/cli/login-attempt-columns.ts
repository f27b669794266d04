/** Owns how a login attempt looks for people. */
import { LoginOutcomeSchema } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { formatExplanation } from './format-explanation.ts';
import { formatEnum, formatText, formatTime } from './format-value.ts';
import type { Column } from './print.ts';

export const LOGIN_ATTEMPT_COLUMNS: readonly Column<LoginAttempt>[] = [
  { title: 'Time', read: ({ endedAt }) => formatTime(endedAt) },
  { title: 'Outcome', read: ({ outcome }) => formatEnum(LoginOutcomeSchema, outcome) },
  { title: 'Stage', read: ({ stage }) => formatText(stage) },
  { title: 'Reason', read: ({ reason }) => formatText(reason) },
  { title: 'Detail', read: ({ detail }) => formatText(detail), detail: true },
  {
    title: 'Explanation',
    read: ({ explanation }) =>
      explanation === undefined
        ? formatText('')
        : formatExplanation(explanation)
            .map((line) => line.trim())
            .join('; '),
    detail: true,
  },
  { title: 'Email', read: ({ maskedEmail }) => formatText(maskedEmail) },
  { title: 'Address', read: ({ address }) => formatText(address) },
  {
    title: 'Configuration',
    read: ({ ssoConfigurationId }) => formatText(ssoConfigurationId),
    detail: true,
  },
  {
    title: 'Revision',
    read: ({ ssoConfigurationRevision }) => String(ssoConfigurationRevision),
    detail: true,
  },
  { title: 'Claims', read: ({ claimsKept }) => (claimsKept ? 'kept' : '-'), detail: true },
  { title: 'Id', read: ({ id }) => formatText(id) },
];
