/**
 * Owns `gen/openapi.json`, the contract as OpenAPI 3.1, made from the proto files with their comments and rules, for tools
 * that speak that language, and the page in `gen/docs` that shows it. It runs after `buf generate`, which empties `gen`. Why it is our own:
 * docs/decisions/0016-own-openapi-generator.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { DescMethod, DescMethodUnary, DescService } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

import { readComment } from './openapi/comments.ts';
import type { OpenApiDocument } from './openapi/document.ts';
import { describeErrorResponses, errorHeaders, errorSchemas } from './openapi/errors.ts';
import { commonParameters, describeMethod } from './openapi/operations.ts';
import { PAGE_STYLE, renderPage } from './openapi/page.ts';
import { SchemaCollection } from './openapi/schemas.ts';

const ROOT = join(import.meta.dirname, '..');

const INTRODUCTION = `The Connect protocol in JSON: every method takes a POST with a JSON body, those without side effects a GET too.
Names are in lowerCamelCase. \`null\` is the same as absent, unknown fields are ignored, and zero values are written in
answers. The same paths are served under \`/api\`. The same port speaks gRPC and gRPC-Web.

Send \`Authorization: Bearer <token>\` with a personal access token; pages of allowed origins may call with the session
cookie instead.`;

export function createOpenApiDocument(): OpenApiDocument {
  const services = readServices();
  const schemas = new SchemaCollection();
  const paths = services.flatMap((service) =>
    service.methods
      .filter(isUnary)
      .map((method) => [
        `/${service.typeName}/${method.name}`,
        describeMethod(service, method, schemas),
      ]),
  );
  return {
    openapi: '3.1.1',
    info: {
      title: 'Claimgate',
      summary: 'Enterprise single sign-on for a product’s customers.',
      description: INTRODUCTION.replaceAll(/(?<!\n)\n(?!\n)/g, ' '),
      license: { name: 'MIT', identifier: 'MIT' },
      version: 'v1',
    },
    servers: [
      { url: '/', description: 'At the root.' },
      { url: '/api', description: 'Where the published clients look.' },
    ],
    security: [{ token: [] }, { session: [] }],
    tags: services.map((service) => ({
      name: service.typeName,
      description: readComment(service),
    })),
    paths: Object.fromEntries(paths),
    components: {
      schemas: { ...errorSchemas, ...schemas.schemas },
      responses: describeErrorResponses(),
      headers: errorHeaders,
      parameters: commonParameters,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A personal access token: `cgpat_` and 48 hexadecimal digits.',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-claimgate-session',
          description: 'What a login gives a browser. It counts from pages of allowed origins.',
        },
      },
    },
  };
}

/** From the source, because compiled descriptors have no comments. */
function readServices(): DescService[] {
  const buf = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');
  const args = [buf, 'build', 'proto', '--as-file-descriptor-set', '-o', '-'];
  const image = execFileSync(process.execPath, args, { cwd: ROOT, maxBuffer: 2 ** 28 });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  return [...registry]
    .filter((type) => type.kind === 'service')
    .toSorted((one, other) => rank(one) - rank(other) || (one.typeName < other.typeName ? -1 : 1));
}

/** The compatible contract before what we add. */
function rank({ typeName }: DescService): number {
  return typeName.startsWith('gitpod.') ? 0 : 1;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

if (import.meta.main) {
  const folder = join(ROOT, 'gen');
  mkdirSync(join(folder, 'docs'), { recursive: true });
  const document = createOpenApiDocument();
  writeFileSync(join(folder, 'openapi.json'), `${JSON.stringify(document, null, 1)}\n`);
  writeFileSync(join(folder, 'docs', 'index.html'), renderPage(document));
  writeFileSync(join(folder, 'docs', 'style.css'), PAGE_STYLE);
}
