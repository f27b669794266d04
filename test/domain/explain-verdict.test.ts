import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileClaimsExpression, evaluateClaims } from '../../src/domain/claims-policy.ts';
import type { JsonObject } from '../../src/domain/claims-policy.ts';
import { explainVerdict, withoutValues } from '../../src/domain/explain-verdict.ts';

const CLAIMS: JsonObject = {
  sub: '248289761001',
  email: 'mallory@example.net',
  email_verified: true,
  groups: ['staff', 'guests'],
  level: 2,
  ratio: 0.5,
  iat: 1_700_000_060,
  auth_time: 1_700_000_000,
  nothing: null,
  address: { country: 'FR' },
  Department: 'sales',
  'https://example.com/roles': ['reader'],
  realm_access: { roles: ['viewer'] },
  accounts: [
    { id: 1, active: true },
    { id: 2, active: false },
  ],
};

interface Case {
  readonly rule: string;
  /** `column expression | message | what was seen`, the last two as far as they matter; in order. */
  readonly causes: readonly string[];
  readonly missing?: readonly string[];
  readonly claims?: JsonObject;
}

const CASES: readonly Case[] = [
  // One condition.
  {
    rule: 'claims.email.endsWith("@example.com")',
    causes: [
      '1 claims.email.endsWith("@example.com") | is false: claims.email does not end with "@example.com" | claims.email="mallory@example.net"',
    ],
  },
  {
    rule: 'claims.email.startsWith("alice")',
    causes: [
      '1 claims.email.startsWith("alice") | is false: claims.email does not begin with "alice" | claims.email="mallory@example.net"',
    ],
  },
  {
    rule: 'claims.email.contains("+")',
    causes: [
      '1 claims.email.contains("+") | is false: claims.email does not contain "+" | claims.email="mallory@example.net"',
    ],
  },
  {
    rule: 'claims.email.matches("^a")',
    causes: [
      '1 claims.email.matches("^a") | is false: claims.email does not match "^a" | claims.email="mallory@example.net"',
    ],
  },
  {
    rule: 'claims.level >= 3',
    causes: ['1 claims.level >= 3 | is false: claims.level is less than 3 | claims.level=2'],
  },
  {
    rule: 'claims.level == 3',
    causes: ['1 claims.level == 3 | is false: claims.level is not 3 | claims.level=2'],
  },
  {
    rule: 'claims.level != 2',
    causes: ['1 claims.level != 2 | is false: claims.level is 2 | claims.level=2'],
  },
  {
    rule: 'claims.ratio > 0.75',
    causes: [
      '1 claims.ratio > 0.75 | is false: claims.ratio is not greater than 0.75 | claims.ratio=0.5',
    ],
  },
  {
    rule: '"admins" in claims.groups',
    causes: [
      '1 "admins" in claims.groups | is false: "admins" is not in claims.groups | claims.groups=["staff", "guests"]',
    ],
  },
  {
    rule: 'claims.address.country in ["DE", "AT"]',
    causes: [
      '1 claims.address.country in ["DE", "AT"] | is false: claims.address.country is not in ["DE", "AT"] | claims.address.country="FR"',
    ],
  },
  {
    rule: 'size(claims.groups) > 2',
    causes: [
      '1 size(claims.groups) > 2 | is false: size(claims.groups) is not greater than 2 | size(claims.groups)=2, claims.groups=["staff", "guests"]',
    ],
  },
  {
    rule: 'claims.iat - claims.auth_time < 60',
    causes: [
      '1 claims.iat - claims.auth_time < 60 | is false: claims.iat - claims.auth_time is not less than 60 | claims.iat - claims.auth_time=60, claims.iat=1700000060, claims.auth_time=1700000000',
    ],
  },
  { rule: 'false', causes: ['1 false | is false | '] },
  // Absent claims.
  {
    rule: 'claims.roles == "admin"',
    causes: ['1 claims.roles | fails: no such claim: roles | claims.roles='],
    missing: ['roles'],
  },
  {
    rule: 'has(claims.name)',
    causes: ['1 has(claims.name) | is false: claims.name is absent | claims.name='],
    missing: ['name'],
  },
  {
    rule: '"phone_number" in claims',
    causes: ['1 "phone_number" in claims | is false: "phone_number" is not in claims | '],
    missing: ['phone_number'],
  },
  {
    rule: 'claims["https://example.com/groups"].exists(g, g == "a")',
    causes: [
      '1 claims["https://example.com/groups"] | fails: no such claim: https://example.com/groups | claims["https://example.com/groups"]=',
    ],
    missing: ['https://example.com/groups'],
  },
  {
    rule: 'claims.address.locality == "Paris"',
    causes: [
      '1 claims.address.locality | fails: no such claim: address.locality | claims.address.locality=',
    ],
    missing: ['address.locality'],
  },
  {
    rule: 'claims.department == "sales"',
    causes: ['1 claims.department | fails: no such claim: department | claims.department='],
    missing: ['department'],
  },
  {
    rule: 'has(claims.roles) && "admin" in claims.roles',
    causes: ['1 has(claims.roles) | is false: claims.roles is absent | claims.roles='],
    missing: ['roles'],
  },
  // And, or, not, choice.
  {
    rule: 'claims.email_verified && claims.email.endsWith("@example.com")',
    causes: [
      '26 claims.email.endsWith("@example.com") | is false: claims.email does not end with "@example.com" | claims.email="mallory@example.net"',
    ],
  },
  {
    rule: 'claims.level > 5 && claims.email_verified && "admins" in claims.groups',
    causes: [
      '1 claims.level > 5 | is false: claims.level is not greater than 5 | claims.level=2',
      '46 "admins" in claims.groups | is false: "admins" is not in claims.groups | claims.groups=["staff", "guests"]',
    ],
  },
  {
    rule: 'claims.level > 5 || "admins" in claims.groups',
    causes: [
      '1 claims.level > 5 | is false: claims.level is not greater than 5 | claims.level=2 | or claims.level > 5 || "admins" in claims.groups',
      '21 "admins" in claims.groups | is false: "admins" is not in claims.groups | claims.groups=["staff", "guests"] | or claims.level > 5 || "admins" in claims.groups',
    ],
  },
  {
    rule: 'claims.email_verified && (claims.level > 5 || claims.level == 1)',
    causes: [
      '27 claims.level > 5 | is false: claims.level is not greater than 5 | claims.level=2 | or claims.level > 5 || claims.level == 1',
      '47 claims.level == 1 | is false: claims.level is not 1 | claims.level=2 | or claims.level > 5 || claims.level == 1',
    ],
  },
  {
    rule: 'claims.level > 5 && claims.roles == "admin"',
    causes: ['1 claims.level > 5 | is false: claims.level is not greater than 5 | claims.level=2'],
  },
  {
    rule: 'claims.email_verified && claims.roles == "admin"',
    causes: ['26 claims.roles | fails: no such claim: roles | claims.roles='],
    missing: ['roles'],
  },
  {
    rule: 'claims.level > 5 || claims.roles == "admin"',
    causes: [
      '1 claims.level > 5 | is false: claims.level is not greater than 5 | claims.level=2 | or claims.level > 5 || claims.roles == "admin"',
      '21 claims.roles | fails: no such claim: roles | claims.roles= | or claims.level > 5 || claims.roles == "admin"',
    ],
    missing: ['roles'],
  },
  {
    rule: '!("guests" in claims.groups)',
    causes: [
      '3 "guests" in claims.groups | is true: "guests" is in claims.groups | claims.groups=["staff", "guests"]',
    ],
  },
  {
    rule: '!(claims.level < 5 && claims.email_verified)',
    causes: [
      '3 claims.level < 5 | is true: claims.level is less than 5 | claims.level=2 | or claims.level < 5 && claims.email_verified',
      '23 claims.email_verified | is true | claims.email_verified=true | or claims.level < 5 && claims.email_verified',
    ],
  },
  {
    rule: '!(claims.level > 5 || claims.email_verified)',
    causes: ['23 claims.email_verified | is true | claims.email_verified=true'],
  },
  {
    rule: '!has(claims.address)',
    causes: ['2 has(claims.address) | is true: claims.address is present | '],
  },
  {
    rule: 'has(claims.level) ? claims.level > 2 : claims.email_verified',
    causes: ['21 claims.level > 2 | is false: claims.level is not greater than 2 | claims.level=2'],
  },
  {
    rule: 'claims.level > 2 ? true : false',
    causes: ['1 claims.level > 2 | is false: claims.level is not greater than 2 | claims.level=2'],
  },
  // Lists.
  {
    rule: 'claims.groups.exists(g, g.startsWith("admin"))',
    causes: [
      '1 claims.groups.exists(g, g.startsWith("admin")) | is false: no element of claims.groups fits | claims.groups=["staff", "guests"]',
    ],
  },
  {
    rule: 'claims.groups.all(g, g == "staff")',
    causes: ['22 g == "staff" | is false: g is not "staff" | g="guests"'],
  },
  {
    rule: 'claims.accounts.all(a, a.active)',
    causes: ['24 a.active | is false | a.active=false'],
  },
  {
    rule: '!claims.groups.exists(g, g == "guests")',
    causes: ['26 g == "guests" | is true: g is "guests" | g="guests"'],
  },
  {
    rule: 'claims.groups.exists_one(g, size(g) > 3)',
    causes: [
      '1 claims.groups.exists_one(g, size(g) > 3) | is false: not exactly one element of claims.groups fits | claims.groups=["staff", "guests"]',
    ],
  },
  {
    rule: 'claims.accounts.exists(a, a.owner == "me")',
    causes: ['27 a.owner | fails: no such claim: owner | a.owner='],
  },
  {
    rule: 'claims.groups.filter(g, g != "guests").size() == 2',
    causes: [
      '1 claims.groups.filter(g, g != "guests").size() == 2 | is false: claims.groups.filter(g, g != "guests").size() is not 2 | claims.groups.filter(g, g != "guests").size()=1, claims.groups=["staff", "guests"]',
    ],
  },
  // Values of the wrong type, and rules that give none.
  {
    rule: 'claims.email',
    causes: [
      '1 claims.email | gives a string and neither true nor false | claims.email="mallory@example.net"',
    ],
  },
  {
    rule: 'claims.level.startsWith("2")',
    causes: [
      '1 claims.level.startsWith("2") | fails: cannot use startsWith on int, string | claims.level=2',
    ],
  },
  {
    rule: 'claims.groups[7] == "x"',
    causes: ['1 claims.groups[7] | fails: no such element in a list or map | claims.groups[7]='],
  },
  {
    rule: 'claims.nothing == "x"',
    causes: ['1 claims.nothing == "x" | is false: claims.nothing is not "x" | claims.nothing=null'],
  },
  {
    rule: 'claims.level / (claims.level - 2) > 1',
    causes: [
      '1 claims.level / (claims.level - 2) | fails: division by zero | claims.level - 2=0, claims.level=2',
    ],
  },
];

function explain(rule: string, claims: JsonObject = CLAIMS) {
  return explainVerdict(compileClaimsExpression(rule), claims);
}

describe('a refusal is explained by its smallest causes', () => {
  it.each(CASES)('$rule', ({ rule, causes, missing = [], claims }) => {
    const { verdict, explanation } = explain(rule, claims);
    expect(verdict.allowed).toBe(false);
    const found = explanation.causes.map(({ column, expression, message, seen, alternativeOf }) => {
      const values = seen.map((value) => `${value.expression}=${value.value}`).join(', ');
      const or = alternativeOf === '' ? '' : ` | or ${alternativeOf}`;
      return `${column} ${expression} | ${message} | ${values}${or}`;
    });
    expect(found).toEqual(causes);
    expect(explanation.missingClaims.map(({ claim }) => claim)).toEqual(missing);
    expect(explanation.summary).toContain('The rule refuses: ');
  });

  it('has at least 40 cases', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(40);
  });
});

describe('a missing claim is named with what to do', () => {
  it.each([
    ['claims.email == ""', 'scope "email"'],
    ['claims.given_name == ""', 'scope "profile"'],
    ['claims.groups == []', 'scope "groups"'],
    ['claims.phone_number == ""', 'scope "phone", which usually yields it, to additional_scopes'],
    ['claims.department == ""', 'There is a claim "Department"'],
    ['claims.address.street == ""', 'claim "address" came without "street"'],
    ['claims.cost_centre == ""', 'It is no standard claim'],
    ['claims.departmnt == ""', 'There is a claim "Department": did you mean that?'],
    ['claims.adress == ""', 'There is a claim "address": did you mean that?'],
  ])('%s', (rule, hint) => {
    const { explanation } = explain(rule, { Department: 'sales', address: {} });
    expect(explanation.missingClaims).toHaveLength(1);
    expect(explanation.missingClaims[0]?.hint).toContain(hint);
  });
});

describe('an explanation', () => {
  it('is short when the rule lets in', () => {
    expect(explain('claims.email_verified')).toEqual({
      verdict: { allowed: true },
      explanation: { summary: 'The rule lets these claims in.', causes: [], missingClaims: [] },
    });
  });

  it('tells lines apart', () => {
    const { explanation } = explain('claims.email_verified &&\n  // who pays\n  claims.level > 5');
    expect(explanation.causes).toMatchObject([{ line: 3, column: 3 }]);
  });

  it('shows the first elements of a long list that failed, and no value at length', () => {
    const claims = { many: Array.from({ length: 100 }, (_, index) => `${index}:`.repeat(200)) };
    const { explanation } = explain('claims.many.all(m, m == "x")', claims);
    expect(explanation.causes).toHaveLength(3);
    for (const { seen } of explanation.causes) {
      expect(seen[0]?.value.length).toBeLessThanOrEqual(201);
    }
  });

  it('gives up where the rule costs too much, and says so', () => {
    const claims = { l: Array.from({ length: 1_000 }, () => 1) };
    const rule = 'claims.l.exists(x, claims.l.exists(y, claims.l.exists(z, false)))';
    const { verdict, explanation } = explain(rule, claims);
    expect(verdict).toMatchObject({ reason: 'over_budget' });
    expect(explanation.causes[0]?.message).toContain('costs too much');
  });

  it('says nothing of claims that are too large to be looked at', () => {
    const { verdict, explanation } = explain('claims.a == 1', { a: 'x'.repeat(70_000) });
    expect(verdict).toMatchObject({ reason: 'claims_too_large' });
    expect(explanation).toMatchObject({ causes: [], missingClaims: [] });
    expect(explanation.summary).toContain('larger than 64 KiB');
  });

  it('holds values in one place only, which can be taken out', () => {
    const canary = 'canary-3f7a91';
    const claims = { ...CLAIMS, email: canary, groups: [canary], level: canary };
    for (const { rule } of CASES) {
      const { explanation } = explain(rule, claims);
      expect(JSON.stringify(withoutValues(explanation))).not.toContain(canary);
    }
  });

  it('never changes the verdict, and never throws, whatever the claims', () => {
    const rules = CASES.map(({ rule }) => compileClaimsExpression(rule));
    const claims = fc.dictionary(
      fc.constantFrom(...Object.keys(CLAIMS), 'roles', '__proto__', 'constructor'),
      fc.jsonValue({ maxDepth: 3 }),
    );
    fc.assert(
      fc.property(fc.nat(rules.length - 1), claims, (index, given) => {
        const rule = rules[index];
        if (rule === undefined) return;
        const { verdict, explanation } = explainVerdict(rule, given);
        expect(verdict).toEqual(evaluateClaims(rule, given));
        expect(explanation.causes.length > 0).toBe(!verdict.allowed);
        expect(explanation.causes.length).toBeLessThanOrEqual(20);
      }),
      { numRuns: 500 },
    );
  });
});
