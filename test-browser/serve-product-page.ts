// Owns a product's web page, on an origin of its own: its script asks Claimgate who is signed in, and writes it down.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ProductPage {
  readonly port: number;
  /** The page asks the server at this URL. */
  readonly ask: (claimgateUrl: string) => void;
}

/** Under each name of this machine, at every path. Ends with the test. */
export async function serveProductPage(): Promise<ProductPage> {
  let claimgateUrl = '';
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(renderProductPage(claimgateUrl));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    port: (server.address() as AddressInfo).port,
    ask: (url) => {
      claimgateUrl = url;
    },
  };
}

function renderProductPage(claimgateUrl: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Product</title><link rel="icon" href="data:,"></head>
<body>
<h1>Product</h1>
<output></output>
<a href="${claimgateUrl}/logout?return_to=">Sign out</a>
<form method="post" action="${claimgateUrl}/logout"><button>Sign out at once</button></form>
<script type="module">
const output = document.querySelector('output');
document.querySelector('a').href += encodeURIComponent(location.href);
try {
  const response = await fetch('${claimgateUrl}/gitpod.v1.UserService/GetAuthenticatedUser', {
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { user, code } = await response.json();
  output.value = user?.name ?? code;
} catch (error) {
  output.value = error.name;
}
</script>
</body>
</html>
`;
}
