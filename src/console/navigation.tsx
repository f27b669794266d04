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

export const PAGES: readonly ConsolePage[] = [
  { path: '/configurations', page: ConfigurationsPage, label: 'Configurations' },
  { path: '/configurations/new', page: ChooseProviderPage },
  { path: '/configurations/new/:provider', page: NewConfigurationPage },
  { path: '/configurations/:configuration', page: ConfigurationPage },
];

/** Where an admin begins. */
export const FIRST_PATH = '/configurations';
