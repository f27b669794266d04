/** Owns the first step of a set-up: which identity provider it is. */
import { Link } from 'wouter';

import { Page } from '../components/page.tsx';
import { PROVIDER_PRESETS } from '../provider-presets.tsx';

export function ChooseProviderPage() {
  return (
    <Page
      title="Set up single sign-on"
      lead="Which identity provider does your company use? It says where to click there in the next step."
    >
      <ul className="providers">
        {PROVIDER_PRESETS.map(({ id, name }) => (
          <li key={id}>
            <Link href={`/configurations/new/${id}`} className="button">
              {name}
            </Link>
          </li>
        ))}
      </ul>
      <p className="note">
        Not sure? Whoever looks after the accounts of your company knows. If it is not in the list
        but speaks OpenID Connect, choose the last one.
      </p>
    </Page>
  );
}
