// The API's description, as tools and people are given it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

let claimgate: StartedClaimgate;

beforeAll(async () => {
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

test('/openapi.json names this server, for pages of any origin, without a token', async () => {
  const response = await fetch(`${claimgate.url}/openapi.json`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(await response.json()).toMatchObject({
    openapi: '3.1.1',
    servers: [{ url: claimgate.url }, { url: `${claimgate.url}/api` }],
  });
  const etag = response.headers.get('etag') ?? '';
  const again = await fetch(`${claimgate.url}/openapi.json`, {
    headers: { 'if-none-match': etag },
  });
  expect(again.status).toBe(304);
});

describe('/docs', () => {
  test('is a page that loads nothing but its style, also where the console has pages', async () => {
    const response = await fetch(`${claimgate.url}/docs`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe');
    const page = await response.text();
    expect(page).toContain('<h3 id="OrganizationService_CreateSSOConfiguration">');
    expect(page).not.toMatch(/<script|<style|<img|\sstyle=|\son\w+=/);
    const loaded = [...page.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(([, url]) => url);
    expect(new Set(loaded)).toEqual(new Set(['docs/style.css', 'openapi.json']));
    const style = await fetch(new URL('docs/style.css', `${claimgate.url}/docs`));
    expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
  });

  test('has an id once, and no link to one that is not there', async () => {
    const page = await (await fetch(`${claimgate.url}/docs`)).text();
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBe(new Set(ids).size);
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });
});

test('where the schema is not public, neither they nor reflection answer', async () => {
  const closed = await startClaimgate({ CLAIMGATE_PUBLIC_SCHEMA: 'false' });
  try {
    for (const path of ['/openapi.json', '/docs', '/docs/style.css']) {
      expect((await fetch(closed.url + path)).status).toBe(404);
    }
    const reflection = 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const asked = await fetch(`${closed.url}/${reflection}`, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web+proto' },
      body: Buffer.from([0, 0, 0, 0, 0]),
    });
    expect(await asked.text()).toContain('grpc-status: 12');
  } finally {
    await closed.stop();
  }
});
