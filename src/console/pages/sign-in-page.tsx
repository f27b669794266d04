/** Owns the way into the console: by single sign-on, or by a token that is traded for a session at once. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components/Form';

import { toClaimgateError } from '../../client/claimgate-error.ts';
import { Button } from '../components/button.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { usePageTitle } from '../components/page.tsx';
import { TextField } from '../components/text-field.tsx';
import { BASE_PATH, IS_OWN_ORIGIN, PUBLIC_URL } from '../public-url.ts';
import { queryClient } from '../query-client.ts';
import { beginTokenSession } from '../session.ts';

export function SignInPage() {
  const heading = usePageTitle('Sign in');
  return (
    <main className="alone">
      <h1 ref={heading} tabIndex={-1}>
        Sign in to Claimgate
      </h1>
      {IS_OWN_ORIGIN ? (
        <>
          <SingleSignOn />
          <PastedToken />
        </>
      ) : (
        <OtherAddress />
      )}
    </main>
  );
}

/** Sessions are for one origin, so that it is of no use to sign in here. */
function OtherAddress() {
  return (
    <>
      <p>This server goes by another address. Sign in there:</p>
      <p>
        <a href={`${PUBLIC_URL}/`}>{PUBLIC_URL}</a>
      </p>
      <p className="note">
        If that is not right, the operator of this server sets <code>CLAIMGATE_PUBLIC_URL</code>.
      </p>
    </>
  );
}

function SingleSignOn() {
  const [email, setEmail] = useState('');
  return (
    <section aria-labelledby="by-sso">
      <h2 id="by-sso">With your work email</h2>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          const returnTo = `${PUBLIC_URL}${location.pathname.slice(BASE_PATH.length)}${location.search}`;
          const query = new URLSearchParams({ email, return_to: returnTo });
          location.assign(`${BASE_PATH}/login?${query.toString()}`);
        }}
      >
        <TextField
          label="Work email"
          name="email"
          type="email"
          autoComplete="email"
          value={email}
          onChange={setEmail}
          isRequired
          maxLength={254}
        />
        <Button kind="primary" type="submit">
          Continue
        </Button>
      </Form>
    </section>
  );
}

function PastedToken() {
  const [token, setToken] = useState('');
  const exchange = useMutation({
    mutationFn: beginTokenSession,
    onSuccess: async () => {
      setToken('');
      // Whatever another session was shown is not for this one.
      await queryClient.resetQueries();
    },
  });
  return (
    <section aria-labelledby="by-token">
      <h2 id="by-token">With a token</h2>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          exchange.mutate(token.trim());
        }}
      >
        <TextField
          label="Personal access token"
          name="token"
          type="password"
          autoComplete="off"
          value={token}
          onChange={setToken}
          isRequired
          isCode
          description="The first start of the server printed one. It is traded for a session and not kept in the browser. The session ends with the token."
        />
        {exchange.isError && <ExchangeFailure error={exchange.error} />}
        <Button type="submit" isPending={exchange.isPending}>
          Use the token
        </Button>
      </Form>
    </section>
  );
}

function ExchangeFailure({ error }: { readonly error: unknown }) {
  if (toClaimgateError(error).code !== 'unauthenticated') return <ErrorNotice error={error} />;
  return (
    <div className="notice wrong" role="alert">
      <h3>The token was not accepted</h3>
      <p>
        It may be misspelt, expired or deleted, or its owner may be suspended. Copy it once more,
        whole, or ask an admin or the operator of this server for a new one.
      </p>
    </div>
  );
}
