import { expect, test } from 'vitest';

import { CEL_LIMITS } from '../../src/domain/cel-budget.ts';
import { ID_TOKEN_LIFETIME, KEY_SET_MAX_AGE } from '../../src/domain/id-token.ts';
import { LOGIN_LIMITS } from '../../src/domain/login-limits.ts';
import { PENDING_LOGIN_LIFETIME } from '../../src/domain/pending-login.ts';
import { REFUSAL_LIMITS } from '../../src/domain/refusal-recorder.ts';
import { TOKEN_LIFETIME } from '../../src/domain/token.ts';
import { defaultListenerLimits } from '../../src/http/listener-limits.ts';
import { CLOCK_TOLERANCE_SECONDS } from '../../src/oidc/id-token-checks.ts';
import { DEFAULT_OUTBOUND_LIMITS } from '../../src/oidc/guarded-fetch.ts';
import { readDocument } from './read-examples.ts';

const API = 'docs/api.md';
const SECURITY = 'docs/security-model.md';
const AUDIT = 'docs/decisions/0015-audit-log.md';
const CEL = 'docs/decisions/0006-cel-budget.md';

const DAY_MS = 86_400_000;
const count = (value: number): string => value.toLocaleString('en');
const {
  discoveryByAddress,
  discoveryByEmailDomain,
  startByAddress,
  startByEmailDomain,
  callbackByAddress,
} = LOGIN_LIMITS;
const limits = defaultListenerLimits;

/** What a document says, made of what the code says. */
const SAYINGS: readonly (readonly [document: string, saying: string])[] = [
  [API, `It lives ${TOKEN_LIFETIME.default / DAY_MS} days unless`],
  [API, `${TOKEN_LIFETIME.max / DAY_MS} days at most`],
  [API, `It lives ${ID_TOKEN_LIFETIME / 60_000} minutes and cannot`],
  [API, `kept for ${KEY_SET_MAX_AGE / 60_000} minutes`],
  [
    API,
    `${discoveryByAddress.count} a minute per client address, ${discoveryByEmailDomain.count} a minute per email domain`,
  ],
  [
    API,
    `${startByAddress.count} a minute per client address, ${startByEmailDomain.count} a minute per email domain`,
  ],
  [API, `| ${callbackByAddress.count} a minute per client address |`],
  [API, `${limits.headerBytes / 1024} KiB; on HTTP/2 also ${limits.http2HeaderFields} fields`],
  [API, `| ${limits.exchangeTimeoutMs / 1000} s, whatever the call says`],
  [
    API,
    `headers ${limits.headersTimeoutMs / 1000} s, all of it ${limits.requestTimeoutMs / 1000} s`,
  ],
  [
    API,
    `${limits.keepAliveTimeoutMs / 1000} s on HTTP/1.1, ${limits.http2IdleTimeoutMs / 60_000} min on HTTP/2`,
  ],
  [API, `| ${limits.silentSocketTimeoutMs / 1000} s | closed |`],
  [API, `| ${limits.http2ConcurrentStreams} | the stream is refused |`],
  [API, `| ${count(limits.maxConnections)} | closed unanswered |`],
  [SECURITY, `Repeated within ${REFUSAL_LIMITS.windowMs / 60_000} minutes, they`],
  [
    AUDIT,
    `at most ${REFUSAL_LIMITS.kinds + 1} kinds of refusals in ${REFUSAL_LIMITS.windowMs / 60_000} minutes`,
  ],
  [AUDIT, `together can make ${count(REFUSAL_LIMITS.actors * (REFUSAL_LIMITS.kinds + 1))} kinds`],
  [SECURITY, `with ${CLOCK_TOLERANCE_SECONDS} seconds for clocks`],
  [SECURITY, `lives ${PENDING_LOGIN_LIFETIME / 60_000} minutes and is taken once`],
  [SECURITY, `up to ${DEFAULT_OUTBOUND_LIMITS.headerBytes / 1024} KiB`],
  [SECURITY, `connecting may take ${DEFAULT_OUTBOUND_LIMITS.connectMs / 1000} seconds`],
  [SECURITY, `all of it ${DEFAULT_OUTBOUND_LIMITS.totalMs / 1000}`],
  [CEL, `| length | ${count(CEL_LIMITS.sourceLength)} |`],
  [CEL, `| nodes; depth | ${count(CEL_LIMITS.nodes)}; ${CEL_LIMITS.depth} |`],
  [CEL, `| ${CEL_LIMITS.comprehensions} |`],
  [CEL, `| rounds of all comprehensions | ${count(CEL_LIMITS.iterations)} |`],
  [CEL, `| ${count(CEL_LIMITS.steps)} |`],
  [CEL, `| text built | ${CEL_LIMITS.builtBytes / 1024} KiB |`],
  [CEL, `| elements built | ${count(CEL_LIMITS.builtElements)} |`],
  [
    CEL,
    `| ${CEL_LIMITS.patternLength}; ${CEL_LIMITS.patternInstructions} instructions; ${count(CEL_LIMITS.patternInput)} |`,
  ],
  [CEL, `| ${count(CEL_LIMITS.patternWork)}, about a microsecond each |`],
  [CEL, `| ${CEL_LIMITS.unicodeClasses} |`],
  [CEL, `| ${CEL_LIMITS.claimsBytes / 1024} KiB, ${CEL_LIMITS.claimsDepth} deep |`],
];

test.each(SAYINGS)('%s says what the code says: %s', async (document, saying) => {
  // Lines are broken and columns are padded; neither says anything.
  const text = (await readDocument(document)).replaceAll(/\s+/g, ' ');
  expect(text).toContain(saying);
});
