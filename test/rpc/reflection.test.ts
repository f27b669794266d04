// Server reflection, as tools ask it before they know anything, of the real server.
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

let claimgate: StartedClaimgate;

beforeAll(async () => {
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

describe.each([
  ['v1', ServerReflection],
  // They differ by their names alone.
  ['v1alpha', ServerReflectionAlpha as unknown as typeof ServerReflection],
] as const)('%s', (_version, service) => {
  type Question = Parameters<typeof ask>[0][number];

  /** Asks one after the other, on one stream. */
  async function ask(
    questions: readonly (
      | {
          readonly case: 'listServices' | 'fileByFilename' | 'fileContainingSymbol';
          readonly value: string;
        }
      | { readonly case: 'allExtensionNumbersOfType'; readonly value: string }
      | {
          readonly case: 'fileContainingExtension';
          readonly value: { readonly containingType: string; readonly extensionNumber: number };
        }
    )[],
  ) {
    const client = createClient(service, createGrpcTransport({ baseUrl: claimgate.url }));
    const answers = [];
    const asked = (async function* () {
      for (const messageRequest of questions)
        yield await Promise.resolve({ host: 'h', messageRequest });
    })();
    for await (const answer of client.serverReflectionInfo(asked)) answers.push(answer);
    return answers;
  }

  async function askForFiles(question: Question) {
    const [answer] = await ask([question]);
    if (answer?.messageResponse.case !== 'fileDescriptorResponse') return [];
    return answer.messageResponse.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  }

  test('lists the services, its own among them', async () => {
    const [answer] = await ask([{ case: 'listServices', value: '' }]);
    if (answer?.messageResponse.case !== 'listServicesResponse') throw new Error('no list');
    const names = answer.messageResponse.value.service.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'claimgate.v1.MemberService',
        'gitpod.v1.OrganizationService',
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
      ]),
    );
    expect(answer.validHost).toBe('h');
    expect(answer.originalRequest?.messageRequest).toEqual({ case: 'listServices', value: '' });
  });

  test('tells enough of a service to call it, and to know its rules', async () => {
    const files = await askForFiles({
      case: 'fileContainingSymbol',
      value: OrganizationService.typeName,
    });
    // What is asked for comes first; a registry wants what is imported first.
    const sorted = new Set<FileDescriptorProto>();
    const add = (name: string): void => {
      const file = files.find((each) => each.name === name);
      if (file === undefined) throw new Error(`${name} is missing`);
      file.dependency.forEach(add);
      sorted.add(file);
    };
    add('gitpod/v1/organization.proto');
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...sorted] }));
    const known = registry.getService(OrganizationService.typeName);
    expect(known?.methods.map(({ name }) => name)).toEqual(
      OrganizationService.methods.map(({ name }) => name),
    );
    expect(files.map(({ name }) => name)).toContain('buf/validate/validate.proto');
  });

  test.each([
    ['fileByFilename', 'gitpod/v1/identity.proto'],
    ['fileContainingSymbol', 'gitpod.v1.IdentityService'],
    ['fileContainingSymbol', 'gitpod.v1.IdentityService.GetAuthenticatedIdentity'],
    ['fileContainingSymbol', 'gitpod.v1.GetAuthenticatedIdentityResponse'],
    ['fileContainingSymbol', 'gitpod.v1.GetAuthenticatedIdentityResponse.organization_id'],
  ] as const)('finds by %s %s the file', async (by, value) => {
    const [first] = await askForFiles({ case: by, value });
    expect(first?.name).toBe('gitpod/v1/identity.proto');
  });

  test('finds extensions by the type that they extend', async () => {
    const [numbers] = await ask([
      { case: 'allExtensionNumbersOfType', value: 'google.protobuf.FieldOptions' },
    ]);
    expect(numbers?.messageResponse).toMatchObject({
      case: 'allExtensionNumbersResponse',
      value: { extensionNumber: expect.arrayContaining([1159]) },
    });
    const [first] = await askForFiles({
      case: 'fileContainingExtension',
      value: { containingType: 'google.protobuf.FieldOptions', extensionNumber: 1159 },
    });
    expect(first?.name).toBe('buf/validate/validate.proto');
  });

  test('sends on one stream what it has not sent, and what is asked for again', async () => {
    const answers = await ask([
      { case: 'fileByFilename', value: 'gitpod/v1/organization.proto' },
      { case: 'fileByFilename', value: 'gitpod/v1/user.proto' },
      { case: 'fileByFilename', value: 'gitpod/v1/user.proto' },
    ]);
    const sizes = answers.map(({ messageResponse }) =>
      messageResponse.case === 'fileDescriptorResponse'
        ? messageResponse.value.fileDescriptorProto.length
        : 0,
    );
    expect(sizes[0]).toBeGreaterThan(sizes[1] ?? 0);
    expect(sizes[2]).toBe(1);
  });

  test.each([
    { case: 'fileByFilename', value: 'no.proto' },
    { case: 'fileContainingSymbol', value: 'no.Such' },
    { case: 'allExtensionNumbersOfType', value: 'no.Such' },
    { case: 'fileContainingExtension', value: { containingType: 'no.Such', extensionNumber: 1 } },
  ] as const)('says of $case that it is not there', async (question) => {
    const [answer] = await ask([question]);
    expect(answer?.messageResponse).toMatchObject({
      case: 'errorResponse',
      value: { errorCode: 5 },
    });
  });
});
