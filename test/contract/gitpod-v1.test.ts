/**
 * Compares our descriptors of gitpod.v1 with the facts of the published contract, field by field:
 * what is missing, what differs, and what is there beyond the facts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { file_gitpod_v1_account } from '../../gen/gitpod/v1/account_pb.ts';
import { file_gitpod_v1_count } from '../../gen/gitpod/v1/count_pb.ts';
import { file_gitpod_v1_event } from '../../gen/gitpod/v1/event_pb.ts';
import { file_gitpod_v1_identity } from '../../gen/gitpod/v1/identity_pb.ts';
import { file_gitpod_v1_organization } from '../../gen/gitpod/v1/organization_pb.ts';
import { file_gitpod_v1_pagination } from '../../gen/gitpod/v1/pagination_pb.ts';
import { file_gitpod_v1_user } from '../../gen/gitpod/v1/user_pb.ts';
import { describeContract } from './describe-contract.ts';
import type { ContractFacts } from './describe-contract.ts';

const FILES = [
  file_gitpod_v1_account,
  file_gitpod_v1_count,
  file_gitpod_v1_event,
  file_gitpod_v1_identity,
  file_gitpod_v1_organization,
  file_gitpod_v1_pagination,
  file_gitpod_v1_user,
];

/** Number 1 of buf.validate.Ignore has been renamed since the contract was published. */
const RENAMED_RULES: Readonly<Record<string, string>> = {
  IGNORE_IF_UNPOPULATED: 'IGNORE_IF_ZERO_VALUE',
};

const root = new URL('../../', import.meta.url);
const facts = readFacts(new URL('test/data/gitpod-v1.json', root));
const ours = describeContract(FILES);

describe('the gitpod.v1 contract', () => {
  it('has no file that this test does not look at', () => {
    const names = FILES.map(({ name }) => name).toSorted();
    expect(listFiles('gen/', '_pb.ts')).toEqual(names);
    expect(listFiles('proto/', '.proto')).toEqual(names);
  });

  it('has the syntax and the package of the published one', () => {
    expect({ syntax: ours.syntax, package: ours.package }).toEqual({
      syntax: facts.syntax,
      package: facts.package,
    });
  });

  for (const kind of ['services', 'messages', 'enums'] as const) {
    it(`has the ${kind} of the published one and no others`, () => {
      expect(Object.keys(ours[kind]).toSorted()).toEqual(Object.keys(facts[kind]).toSorted());
    });

    it.each(Object.entries(facts[kind]))(`describes %s as published`, (name, published) => {
      expect(ours[kind][name]).toEqual(published);
    });
  }
});

function listFiles(folder: string, ending: string): string[] {
  const names = readdirSync(new URL(`${folder}gitpod/v1/`, root));
  return names
    .map((name) => `gitpod/v1/${name.replace(new RegExp(`${ending}$`, 'u'), '')}`)
    .toSorted();
}

function readFacts(file: URL): ContractFacts {
  const contract: ContractFacts = JSON.parse(readFileSync(file, 'utf8'), renameRule);
  return contract;
}

function renameRule(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? (RENAMED_RULES[value] ?? value) : value;
}
