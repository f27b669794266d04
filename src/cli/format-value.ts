/** Owns how values look in text for people: safe to print on a terminal, and short. */
import type { DescEnum } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** What stands for nothing, so that columns stay columns. */
const NOTHING = '-';

/**
 * Names come from other people: escapes what could steer a terminal, or turn the direction of the text (Unicode
 * Technical Report 36 §3.1).
 */
export function makePrintable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u{2028}\u{2029}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function formatText(text: string): string {
  return text === '' ? NOTHING : makePrintable(text);
}

export function formatList(texts: readonly string[]): string {
  return formatText(texts.join(', '));
}

/** `1 secret`, `1,200 secrets`. */
export function formatCount(count: number, thing: string): string {
  return `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`;
}

export function formatTime(timestamp: Timestamp | undefined): string {
  if (timestamp === undefined) return NOTHING;
  return timestampDate(timestamp)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
}

/** `SSO_CONFIGURATION_STATE_ACTIVE` as `active`: every enum of the contract begins with its own `…_UNSPECIFIED`. */
export function formatEnum(schema: DescEnum, value: number): string {
  const prefix = schema.values[0]?.name.replace(/UNSPECIFIED$/, '') ?? '';
  const name = schema.value[value]?.name.slice(prefix.length).toLowerCase();
  return name?.replaceAll('_', ' ') ?? String(value);
}
