/** Owns how the comments of proto files are found: descriptors carry them by the path of what they stand before. */
import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescMessage,
  DescMethod,
  DescService,
} from '@bufbuild/protobuf';

type Commented = DescMessage | DescField | DescEnum | DescEnumValue | DescService | DescMethod;

/** Field numbers in descriptor.proto. */
const FILE = { message: 4, enum: 5, service: 6 };
const MESSAGE = { field: 2, nested: 3, enum: 4 };
const MEMBER = 2;

/** What has been said of it, as paragraphs of one line each; empty where nothing has. */
export function readComment(desc: Commented): string {
  const { file } = 'file' in desc ? desc : desc.parent;
  const path = locate(desc).join('.');
  const found = file.proto.sourceCodeInfo?.location.find(
    (location) => location.path.join('.') === path,
  );
  return (found?.leadingComments ?? '')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/g, ' '))
    .join('\n\n');
}

function locate(desc: Commented): number[] {
  switch (desc.kind) {
    case 'message':
    case 'enum':
      return locateType(desc);
    case 'service':
      return [FILE.service, desc.file.services.indexOf(desc)];
    case 'field':
      return [...locateType(desc.parent), MEMBER, desc.parent.fields.indexOf(desc)];
    case 'enum_value':
      return [...locateType(desc.parent), MEMBER, desc.parent.values.indexOf(desc)];
    case 'rpc':
      return [...locate(desc.parent), MEMBER, desc.parent.methods.indexOf(desc)];
  }
}

function locateType(desc: DescMessage | DescEnum): number[] {
  const { parent, file } = desc;
  if (desc.kind === 'message') {
    return parent === undefined
      ? [FILE.message, file.messages.indexOf(desc)]
      : [...locateType(parent), MESSAGE.nested, parent.nestedMessages.indexOf(desc)];
  }
  return parent === undefined
    ? [FILE.enum, file.enums.indexOf(desc)]
    : [...locateType(parent), MESSAGE.enum, parent.nestedEnums.indexOf(desc)];
}
