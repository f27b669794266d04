import { describe, expect, it } from 'vitest';

import { PROVIDER_PRESETS } from '../../src/console/provider-presets.tsx';

describe('An issuer', () => {
  it.each([
    ['okta', 'https://example.okta.com', true],
    ['okta', 'https://example.okta.com/oauth2/default', true],
    ['okta', 'https://example.okta.com/', false],
    ['okta', 'https://example-admin.okta.com', false],
    ['entra', 'https://login.microsoftonline.com/1b2c3d/v2.0', true],
    ['entra', 'https://login.microsoftonline.com/1b2c3d/v2.0/', false],
    ['entra', 'https://login.microsoftonline.com/1b2c3d', false],
    ['entra', 'https://login.microsoftonline.com/common/v2.0', false],
    ['entra', 'https://login.microsoftonline.com/organizations/v2.0', false],
    ['google', 'https://accounts.google.com', true],
    ['google', 'https://accounts.google.com/', false],
    ['auth0', 'https://example.eu.auth0.com/', true],
    ['auth0', 'https://example.eu.auth0.com', false],
    ['keycloak', 'https://keycloak.example.com/realms/staff', true],
    ['keycloak', 'https://keycloak.example.com/realms/staff/', false],
    ['keycloak', 'https://keycloak.example.com', false],
    ['other', 'https://idp.example.com', true],
    ['other', 'https://idp.example.com/.well-known/openid-configuration', false],
  ])('of %s written as %s is right: %s', (provider, issuerUrl, isRight) => {
    const preset = PROVIDER_PRESETS.find(({ id }) => id === provider);
    expect(preset?.doubtIssuer?.(issuerUrl) === undefined).toBe(isRight);
  });

  it('that stands as the pattern is right', () => {
    for (const { issuerPattern, issuerUrl, doubtIssuer } of PROVIDER_PRESETS) {
      expect(doubtIssuer?.(issuerPattern)).toBeUndefined();
      if (issuerUrl !== undefined) expect(issuerUrl).toBe(issuerPattern);
    }
  });

  it('that everybody shares comes with a rule that names the company', () => {
    for (const { issuerUrl, suggestRule } of PROVIDER_PRESETS) {
      expect(suggestRule?.('example.com')?.includes('"example.com"')).toBe(
        issuerUrl === undefined ? undefined : true,
      );
    }
  });
});
