/**
 * Owns the console's pages by their paths, and which of them the navigation lists. A new page is a new entry here, and
 * nothing else. Paths are those within one organization (see `app.tsx`).
 */
import { lazy } from 'react';
import type { ComponentType } from 'react';

export interface ConsolePage {
  /** As wouter writes patterns; more special ones come first. */
  readonly path: string;
  readonly page: ComponentType;
  /** What the navigation calls it; absent for pages that others lead to. */
  readonly label?: string;
  /** For ADMINs and operators alone, unless `anyone`. */
  readonly audience?: 'anyone';
}

// Each page is loaded when it is opened, so that the first one is there at once.
const ConfigurationsPage = lazy(async () => {
  const { ConfigurationsPage } = await import('./pages/configurations-page.tsx');
  return { default: ConfigurationsPage };
});
const ChooseProviderPage = lazy(async () => {
  const { ChooseProviderPage } = await import('./pages/choose-provider-page.tsx');
  return { default: ChooseProviderPage };
});
const NewConfigurationPage = lazy(async () => {
  const { NewConfigurationPage } = await import('./pages/new-configuration-page.tsx');
  return { default: NewConfigurationPage };
});
const ConfigurationPage = lazy(async () => {
  const { ConfigurationPage } = await import('./pages/configuration-page.tsx');
  return { default: ConfigurationPage };
});
const RulePage = lazy(async () => {
  const { RulePage } = await import('./pages/rule-page.tsx');
  return { default: RulePage };
});
const DomainsPage = lazy(async () => {
  const { DomainsPage } = await import('./pages/domains-page.tsx');
  return { default: DomainsPage };
});
const LoginAttemptsPage = lazy(async () => {
  const { LoginAttemptsPage } = await import('./pages/login-attempts-page.tsx');
  return { default: LoginAttemptsPage };
});
const LoginAttemptPage = lazy(async () => {
  const { LoginAttemptPage } = await import('./pages/login-attempt-page.tsx');
  return { default: LoginAttemptPage };
});
const MembersPage = lazy(async () => {
  const { MembersPage } = await import('./pages/members-page.tsx');
  return { default: MembersPage };
});
const TokensPage = lazy(async () => {
  const { TokensPage } = await import('./pages/tokens-page.tsx');
  return { default: TokensPage };
});

export const PAGES: readonly ConsolePage[] = [
  { path: '/configurations', page: ConfigurationsPage, label: 'Configurations' },
  { path: '/configurations/new', page: ChooseProviderPage },
  { path: '/configurations/new/:provider', page: NewConfigurationPage },
  { path: '/configurations/:configuration', page: ConfigurationPage },
  { path: '/configurations/:configuration/rule', page: RulePage },
  { path: '/domains', page: DomainsPage, label: 'Domains' },
  { path: '/attempts', page: LoginAttemptsPage, label: 'Login attempts' },
  { path: '/attempts/:attempt', page: LoginAttemptPage },
  { path: '/members', page: MembersPage, label: 'Members' },
  { path: '/tokens', page: TokensPage, label: 'Tokens', audience: 'anyone' },
];

/** Where an admin begins. */
export const FIRST_PATH = '/configurations';
