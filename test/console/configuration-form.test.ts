import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SSOConfigurationSchema } from '../../gen/gitpod/v1/organization_pb.ts';
import { clear, leave, set } from '../../src/client/change.ts';
import type { SsoConfigurationChange } from '../../src/client/update-sso-configuration.ts';
import {
  EMPTY_FORM,
  hasChanges,
  readForm,
  splitList,
  writeChange,
  writeDraft,
  writeNew,
} from '../../src/console/configuration-form.ts';
import type { ConfigurationForm } from '../../src/console/configuration-form.ts';

const STORED = create(SSOConfigurationSchema, {
  displayName: 'Example SSO',
  issuerUrl: 'https://idp.example.com',
  clientId: 'claimgate',
  emailDomains: ['example.com', 'example.org'],
  additionalScopes: ['groups'],
  claims: { email: 'mail', department: 'ou' },
  claimsExpression: 'claims.email_verified',
});

describe('What is typed', () => {
  const cases: readonly (readonly [
    what: string,
    typed: Partial<ConfigurationForm>,
    change: Partial<SsoConfigurationChange>,
  ])[] = [
    ['a new name', { displayName: ' New ' }, { displayName: set('New') }],
    ['no name', { displayName: '' }, { displayName: clear }],
    ['a new issuer', { issuerUrl: 'https://b.example ' }, { issuerUrl: set('https://b.example') }],
    ['a new secret', { clientSecret: ' s ' }, { clientSecret: set(' s ') }],
    ['one domain less', { emailDomains: 'example.com' }, { emailDomains: set(['example.com']) }],
    ['domains in other words', { emailDomains: 'example.com;\nexample.org' }, {}],
    ['no scopes', { additionalScopes: ' ' }, { additionalScopes: clear }],
    ['a rule', { claimsExpression: 'true' }, { claimsExpression: set('true') }],
    ['no rule', { claimsExpression: '' }, { claimsExpression: clear }],
  ];
  it.each(cases)('as %s changes that, and leaves the rest', (_what, typed, change) => {
    const written = writeChange({ ...readForm(STORED), ...typed }, STORED);
    const expected = { ...writeChange(readForm(STORED), STORED), ...change };
    expect(written).toEqual(expected);
    expect(hasChanges(written)).toBe(Object.keys(change).length > 0);
  });

  it('of the mapping is set and cleared by attribute, and others are kept', () => {
    const form = { ...readForm(STORED), claims: { ...EMPTY_FORM.claims, groups: 'roles' } };
    expect(writeChange(form, STORED).claims).toEqual({
      email: clear,
      name: leave,
      picture: leave,
      groups: set('roles'),
    });
    expect(writeDraft(form, STORED).claims).toEqual({
      department: 'ou',
      email: '',
      name: '',
      picture: '',
      groups: 'roles',
    });
  });

  it('as it is stored changes nothing', () => {
    expect(hasChanges(writeChange(readForm(STORED), STORED))).toBe(false);
  });

  it('holds a secret only where one was typed', () => {
    expect(writeDraft(EMPTY_FORM)).not.toHaveProperty('clientSecret');
    expect(writeDraft({ ...EMPTY_FORM, clientSecret: 's' })).toMatchObject({ clientSecret: 's' });
    expect(writeNew({ ...EMPTY_FORM, clientSecret: 's' }, 'o')).toMatchObject({
      organizationId: 'o',
      clientSecret: 's',
    });
  });
});

describe('A list', () => {
  it('is the same however it is separated', () => {
    const word = fc.stringMatching(/^[a-z0-9.-]{1,12}$/);
    const gap = fc.constantFrom(',', ' ', ', ', '\n', ';', ' ,  ');
    fc.assert(
      fc.property(fc.array(word), gap, (words, separator) => {
        expect(splitList(`${separator}${words.join(separator)}${separator}`)).toEqual(words);
      }),
    );
  });
});
