/**
 * Owns how text becomes HTML: whatever is put into a template is escaped, unless it is HTML already. Good for text
 * and for quoted attribute values; nothing may be put anywhere else.
 */

/** HTML that is safe to send. Made by the functions of this file alone. */
export interface Html {
  readonly [MARKUP]: string;
}

const MARKUP: unique symbol = Symbol('markup');

type Part = string | number | Html | undefined | false | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Puts escaped values between the literal parts. `undefined` and `false` leave nothing. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const markup = literals.reduce(
    (text, literal, index) => text + renderPart(parts[index - 1]) + literal,
  );
  return { [MARKUP]: markup };
}

/** For text of our own that the parser reads as it stands, such as a style sheet. Never for what was received. */
export function trustMarkup(markup: string): Html {
  return { [MARKUP]: markup };
}

export function renderHtml(content: Html): string {
  return content[MARKUP];
}

/** Text without meaning to a parser. Characters that HTML cannot hold are replaced (HTML §13.2.3.5). */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\0', '\uFFFD')
    .replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

function renderPart(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return escapeText(part);
  if (typeof part === 'number') return String(part);
  if (isList(part)) return part.map(renderHtml).join('');
  return renderHtml(part);
}

function isList(part: Html | readonly Html[]): part is readonly Html[] {
  return Array.isArray(part);
}
