/** Owns what a person at a terminal reads when the demo has started: what there is, and what to do with it. */
import type { Demo } from './start-demo.ts';

/** What a person can change the rule to, so that Bob gets in too. */
const WIDER_RULE =
  'claims.email_verified && claims.groups.exists(g, g in ["engineering", "sales"])';

export function describeDemo(demo: Demo, { isKept }: { readonly isKept: boolean }): string {
  const { url, issuer, token, organizationId, ssoConfigurationId, rule, folder } = demo;
  return `
The Claimgate demo runs at ${url}, its identity provider at ${issuer}

The organization "Example Inc." owns example.com, and its rule for who may sign in is

  ${rule}

Try it in a browser:

  1. Open ${url}/login
     Type alice@example.com, continue, and sign in. Alice is let in.
     Who she is, as a product asks: ${url}/session
  2. Sign out at ${url}/logout
     Then begin again as bob@example.com. Bob is refused: he is in another group.
  3. Begin again as mallory@example.com. She is refused: her address is not verified.
  4. Let Bob in. In a second terminal, in this folder:

       export CLAIMGATE_URL=${url} CLAIMGATE_TOKEN=${token}
       npm run -s claimgate -- sso update ${ssoConfigurationId} --claims-expression '${WIDER_RULE}'

     Then sign in as bob@example.com again.

Why they were refused, and all else that an admin sees, is in the console:

  ${url}/organizations/${organizationId}/attempts
  Sign in there with this token, which is the operator's: ${token}

The same on the command line and by the API, with the variables above:

  npm run -s claimgate -- login attempts --organization ${organizationId}
  curl -sS $CLAIMGATE_URL/claimgate.v1.LoginAttemptService/ListLoginAttempts -H "Authorization: Bearer $CLAIMGATE_TOKEN" -H 'Content-Type: application/json' -d '{"organizationId":"${organizationId}"}'

Ctrl-C ends it. ${isKept ? `The data stays in ${folder}` : 'Nothing is left behind.'}

Sign-ins, as they happen:
`;
}
