// Owns calling the server as a bare HTTP client does: fetch, and nothing that a library would add.

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface JsonAnswer extends RawAnswer {
  readonly body: Readonly<Record<string, unknown>>;
}

export interface CallOptions {
  readonly token?: string | undefined;
  /** Such as `/api`. */
  readonly prefix?: string;
  /** Such as `?pageSize=3`. */
  readonly query?: string;
  /** Over those of the call; empty takes one away. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the bytes as they are. @param rpc such as `OrganizationService/GetOrganization` */
export async function callRaw(
  url: string,
  rpc: string,
  body: string | Uint8Array<ArrayBuffer>,
  { token, prefix = '', query = '', headers = {} }: CallOptions = {},
): Promise<RawAnswer> {
  const all = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...headers,
  };
  const response = await fetch(`${url}${prefix}/gitpod.v1.${rpc}${query}`, {
    method: 'POST',
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
    body,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Sends JSON: a string as it is, everything else as `JSON.stringify` has it. */
export async function callJson(
  url: string,
  rpc: string,
  body: unknown,
  options: CallOptions = {},
): Promise<JsonAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await callRaw(url, rpc, text, options);
  return { ...answer, body: parseObject(answer.text) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  if (!text.startsWith('{')) return {};
  const body: Readonly<Record<string, unknown>> = JSON.parse(text);
  return body;
}
