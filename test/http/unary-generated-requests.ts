// Owns what is sent to two servers that should answer alike: requests in every protocol, most of them broken in some way.
import { gzipSync, brotliCompressSync } from 'node:zlib';
import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  CreateSSOConfigurationRequestSchema,
  GetSSOConfigurationRequestSchema,
  ListMembersRequestSchema,
  SetRoleRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { readMaxBytes, servicePath } from './unary-service.ts';
import { envelope } from './unary-wire.ts';
import type { WireRequest } from './unary-wire.ts';

export interface Written {
  readonly request: WireRequest;
  /** What matters for judging the answers. */
  readonly plan: Plan;
}

export interface Plan {
  readonly protocol: 'connect' | 'get' | 'grpc' | 'grpc-web';
  /** With a deadline of a millisecond or less. */
  readonly impatient: boolean;
  readonly several: boolean;
}

const schemas = {
  GetSSOConfiguration: GetSSOConfigurationRequestSchema,
  CreateSSOConfiguration: CreateSSOConfigurationRequestSchema,
  ListMembers: ListMembersRequestSchema,
  SetRole: SetRoleRequestSchema,
} as const;

const rpcs = [
  ...Object.keys(schemas),
  'GetOrganization',
  'LeaveOrganization',
  'ListSSOConfigurations',
  'VerifyDomain',
  'DeleteDomainVerification', // not implemented
  'Nothing', // not there
];

const text = fc.string({
  unit: fc.constantFrom('a', '"', '\\', ' ', '\0', 'é', '☃'),
  maxLength: 20,
});

/** A message that is right, in its format. */
const rightMessage = (rpc: string, json: boolean): fc.Arbitrary<Buffer> =>
  fc
    .record({
      ssoConfigurationId: text,
      clientId: text,
      emailDomains: fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
      userId: fc.string({ maxLength: 10 }),
      role: fc.integer({ min: 0, max: 3 }),
      filter: fc.record({ roles: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }) }),
      sort: fc.record({ field: fc.integer({ min: 0, max: 3 }) }),
    })
    .map((values) => {
      const schema = schemas[rpc as keyof typeof schemas] ?? GetSSOConfigurationRequestSchema;
      const known = new Set(schema.fields.map((field) => field.localName));
      const init = Object.fromEntries(Object.entries(values).filter(([name]) => known.has(name)));
      const message = create(schema, init as never);
      // An undefined number cannot be written as JSON; it is tried below.
      try {
        return Buffer.from(json ? toJsonString(schema, message) : toBinary(schema, message));
      } catch {
        return Buffer.from('{}');
      }
    });

const jsonOddities = [
  '',
  'null',
  '[]',
  '"x"',
  '{',
  '{"a":',
  '\ufeff{}',
  ' { } ',
  '{"unknown":{"deep":[1,2,{"x":null}]}}',
  '{"ssoConfigurationId":null}',
  '{"ssoConfigurationId":7}',
  '{"sso_configuration_id":"a"}',
  '{"sso_configuration_id":"a","ssoConfigurationId":"b"}',
  '{"ssoConfigurationId":"a","ssoConfigurationId":"b"}',
  '{"role":"ORGANIZATION_ROLE_ADMIN"}',
  '{"role":"ORGANIZATION_ROLE_KING"}',
  '{"role":99}',
  '{"role":1.5}',
  '{"role":"1"}',
  '{"role":null}',
  '{"role":{}}',
  '{"filter":{"roles":["ORGANIZATION_ROLE_KING"]}}',
  '{"filter":{"roles":[1,2,77]}}',
  '{"filter":{"roles":[null]}}',
  '{"filter":[]}',
  '{"sort":{"field":"SORT_FIELD_NAME"}}',
  '{"pagination":{"pageSize":"12"}}',
  '{"pagination":{"pageSize":1e99}}',
  `{"x":${'['.repeat(1000)}${']'.repeat(1000)}}`,
  `${'{"filter":'.repeat(300)}1${'}'.repeat(300)}`,
];

const message = (rpc: string, json: boolean): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 6, arbitrary: rightMessage(rpc, json) },
    { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
    { weight: 2, arbitrary: fc.constantFrom(...jsonOddities).map((text) => Buffer.from(text)) },
    {
      weight: 2,
      arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(rightMessage(rpc, json), fc.nat(), fc.nat(255))
        .map(([bytes, at, byte]) => {
          const broken = Buffer.from(bytes);
          if (broken.length > 0) broken[at % broken.length] = byte;
          return broken;
        }),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(readMaxBytes - 1, readMaxBytes, readMaxBytes + 1, 3 * readMaxBytes)
        .map((size) => Buffer.alloc(size, json ? '{}' + ' '.repeat(62) : '\x0a\x02ab')),
    },
  );

const encoding = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('identity', 'gzip', 'br', 'GZIP', 'zstd', '', 'gzip, br'),
  },
);

/** Packs as announced, or in some other way. */
function pack(bytes: Buffer, announced: string | undefined, how: number): Buffer {
  if (how === 0) return bytes;
  const packed = announced === 'br' ? brotliCompressSync(bytes) : gzipSync(bytes);
  if (announced !== 'gzip' && announced !== 'br') return how > 8 ? packed : bytes;
  return how === 1 ? packed.subarray(0, how + packed.length / 2) : packed;
}

const acceptEncoding = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('gzip', 'br', 'gzip, br', 'zstd,br', 'identity', '*', '', ' , '),
  },
);

const connectTimeouts = [
  '60000',
  '300000',
  '300001',
  '0',
  '1',
  '',
  'abc',
  '-1',
  '1.5',
  '12345678901',
];
const grpcTimeouts = [
  '60S',
  '5M',
  '6M',
  '1H',
  '0S',
  '1m',
  '100u',
  '1n',
  '',
  'S',
  '1',
  '1s',
  '123456789S',
];

const contentTypes: Readonly<Record<string, readonly string[]>> = {
  connect: [
    'application/json; charset=utf-8',
    'application/json;charset=UTF8',
    'application/json; charset=latin1',
    'application/json;  charset=utf-8',
    'Application/JSON',
    'application/proto; charset=utf-8',
    'application/connect+json',
    'application/x-protobuf',
    'text/plain',
    'application/jsonx',
  ],
  get: ['application/json', 'application/proto', 'text/plain', 'application/grpc'],
  grpc: [
    'application/grpc',
    'APPLICATION/GRPC',
    'application/grpc+json; charset=utf-8',
    'application/grpc+thrift',
  ],
  'grpc-web': [
    'application/grpc-web',
    'application/grpc-web-text',
    'application/grpc-web-text+proto',
    'application/grpc-web+json;charset=utf8',
  ],
};

const shape = fc.record({
  protocol: fc.constantFrom('connect', 'get', 'grpc', 'grpc-web'),
  rpc: fc.constantFrom(...rpcs),
  json: fc.boolean(),
  encoding,
  acceptEncoding,
  packing: fc.nat(9),
  timeout: fc.option(fc.nat(), { freq: 2 }),
  contentType: fc.option(fc.nat(), { freq: 3 }),
  verb: fc.oneof(
    { weight: 15, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS') },
  ),
  refuse: fc.nat(15),
  version: fc.constantFrom(undefined, undefined, '1', '2', ''),
  odd: fc.option(fc.stringMatching(/^[\x21-\x7e\xa0-\xff]{1,20}$/), { freq: 4 }),
  query: fc.constantFrom('', '', '', '?', '?token=a&pageSize=3', '?x=%zz', '?a=b#c'),
  flags: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.nat(255) },
  ),
  cut: fc.nat(12),
  envelopes: fc.constantFrom(1, 1, 1, 1, 1, 1, 0, 2, 3),
  pieces: fc.nat(3),
  base64: fc.constantFrom('standard', 'url', 'none', 'broken'),
});

/** A request, right or broken in one or several ways. */
export const generatedRequest: fc.Arbitrary<Written> = shape.chain((chosen) =>
  fc
    .tuple(message(chosen.rpc, chosen.json), message(chosen.rpc, chosen.json))
    .map(([first, second]) => writeRequest(chosen, first, second)),
);

type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function writeRequest(chosen: Shape, first: Buffer, second: Buffer): Written {
  const { protocol } = chosen;
  const isGrpc = protocol === 'grpc' || protocol === 'grpc-web';
  const format = chosen.json ? 'json' : 'proto';
  const usual = {
    connect: `application/${format}`,
    get: undefined,
    grpc: `application/grpc+${format}`,
    'grpc-web': `application/grpc-web+${format}`,
  }[protocol];
  const timeouts = isGrpc ? grpcTimeouts : connectTimeouts;
  const timeout = chosen.timeout === null ? undefined : timeouts[chosen.timeout % timeouts.length];
  const types = contentTypes[protocol] ?? [];
  const type = chosen.contentType === null ? usual : types[chosen.contentType % types.length];
  const headers = Object.fromEntries(
    Object.entries({
      'content-type': type,
      [isGrpc ? 'grpc-timeout' : 'connect-timeout-ms']: timeout,
      [isGrpc ? 'grpc-encoding' : 'content-encoding']: chosen.encoding,
      [isGrpc ? 'grpc-accept-encoding' : 'accept-encoding']: chosen.acceptEncoding,
      'connect-protocol-version': chosen.version,
      'x-refuse': chosen.refuse === 0 ? 'yes' : undefined,
      'x-odd': chosen.odd ?? undefined,
      te: protocol === 'grpc' ? 'trailers' : undefined,
    }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const packed = pack(first, chosen.encoding, chosen.packing);
  const path = `${servicePath}/${chosen.rpc}`;
  const impatient = ['0', '1', '0S', '1m', '100u', '1n'].includes(timeout ?? '');
  const plan = { protocol, impatient, several: chosen.envelopes > 1 };

  if (protocol === 'get') {
    const query = new URLSearchParams({ connect: `v${chosen.version ?? 1}` });
    if (chosen.cut > 0) query.set('encoding', chosen.cut === 1 ? 'xml' : format);
    if (chosen.encoding !== undefined) query.set('compression', chosen.encoding);
    if (chosen.base64 !== 'none') query.set('base64', '1');
    const text = {
      standard: packed.toString('base64'),
      url: packed.toString('base64url'),
      none: packed.toString('latin1'),
      broken: `*${packed.toString('base64')}`,
    }[chosen.base64];
    if (chosen.flags !== 7) query.set('message', text);
    const sent = { method: chosen.verb ?? 'GET', path: `${path}?${query}`, headers, body: [] };
    return { request: sent, plan };
  }
  let body = packed;
  if (isGrpc) {
    const usualFlags = chosen.encoding === undefined || chosen.encoding === 'identity' ? 0 : 1;
    const envelopes = [first, second, second]
      .slice(0, chosen.envelopes)
      .map((bytes, index) =>
        envelope(
          index === 0 ? (chosen.flags ?? usualFlags) : (chosen.flags ?? 0),
          index === 0 ? packed : bytes,
        ),
      );
    body = Buffer.concat(envelopes);
    if (chosen.cut === 1) body = body.subarray(0, Math.max(0, body.length - 1));
    if (chosen.cut === 2) body = body.subarray(0, 3);
    if (chosen.cut === 3) body = envelope(0, packed, packed.length + 1);
    if (chosen.cut === 4) body = envelope(0, packed, 0xffffffff);
  }
  const verb = chosen.verb ?? 'POST';
  const at = Math.floor((body.length * chosen.pieces) / 3);
  const pieces = verb === 'GET' ? [] : [body.subarray(0, at), body.subarray(at)];
  return {
    request: { method: verb, path: path + chosen.query, headers, body: pieces },
    plan,
  };
}
