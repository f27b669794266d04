/** Owns the first page of people who are no admins. */
import { Page } from '../components/page.tsx';
import { useWorkplace } from '../organization.tsx';

export function SignedInPage() {
  const { session } = useWorkplace();
  return (
    <Page title="You are signed in">
      <p>
        <bdi>{session.user.name}</bdi>
        <br />
        <bdi>{session.user.email}</bdi>
      </p>
      <p>
        There is nothing to set up here for members. Go to the product that you want to use. If you
        are to look after single sign-on, ask an admin of your organization for the ADMIN role.
      </p>
    </Page>
  );
}
