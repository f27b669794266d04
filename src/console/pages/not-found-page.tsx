/** Owns the answer to addresses that mean nothing. */
import { ButtonLink } from '../components/button.tsx';
import { Page } from '../components/page.tsx';

export function NotFoundPage() {
  return (
    <Page title="There is no such page">
      <p>Check the address, or whether you may see it: most pages are for admins alone.</p>
      <ButtonLink kind="primary" href="/">
        To the first page
      </ButtonLink>
    </Page>
  );
}
