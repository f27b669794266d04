/** Owns the rules that one can begin with. Each is one that the server takes as it stands. */

export interface RuleExample {
  readonly title: string;
  readonly build: (emailDomain: string) => string;
}

export const RULE_EXAMPLES: readonly RuleExample[] = [
  {
    title: 'Verified addresses of one domain',
    build: (emailDomain) =>
      `claims.email_verified && claims.email.endsWith(${JSON.stringify(`@${emailDomain}`)})`,
  },
  { title: 'Members of a group', build: () => '"engineering" in claims.groups' },
  {
    title: 'Members of any of several groups',
    build: () => 'claims.groups.exists(g, g in ["engineering", "support"])',
  },
  {
    title: 'Everybody except a group',
    build: () => '!has(claims.groups) || !("contractors" in claims.groups)',
  },
];
