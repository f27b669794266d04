/**
 * Owns how expressions in CEL and claims in JSON are coloured: word by word, for the eye alone. What is right in them,
 * the server says, and `JSON.parse`.
 */
import { StreamLanguage } from '@codemirror/language';
import type { StreamParser, StringStream } from '@codemirror/language';

export type CodeLanguage = 'cel' | 'json';

/** CEL's macros (its language definition, "Macros") and what stands between operands as a word. */
const WORDS: ReadonlySet<string> = new Set([
  'in',
  'has',
  'all',
  'exists',
  'exists_one',
  'map',
  'filter',
]);

interface CelState {
  /** The quotes that end the text which is open; only those of three go over a line's end. */
  readonly quotes: string;
  /** A backslash in it stands for itself. */
  readonly isRaw: boolean;
}

const OUTSIDE: CelState = { quotes: '', isRaw: false };

/** The state changes as the parser goes on, so it stands in a box. */
interface CelBox {
  current: CelState;
}

const CEL: StreamParser<CelBox> = {
  name: 'cel',
  startState: () => ({ current: OUTSIDE }),
  copyState: ({ current }) => ({ current }),
  languageData: {
    commentTokens: { line: '//' },
    closeBrackets: { brackets: ['(', '[', '"', "'"] },
  },
  token(stream, box) {
    if (box.current.quotes !== '') return readText(stream, box);
    if (stream.eatSpace()) return null;
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    const opening = readMatch(stream, /^(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/);
    if (opening !== undefined) {
      const [prefixed = '', quotes = ''] = opening;
      box.current = { quotes, isRaw: /^[bB]?[rR]/.test(prefixed) };
      return readText(stream, box);
    }
    if (stream.match(/^(?:0[xX][\da-fA-F]+[uU]?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[uU]?|\.\d+)/))
      return 'number';
    const isField = stream.pos > 0 && stream.string.charAt(stream.pos - 1) === '.';
    const [word] = readMatch(stream, /^[A-Za-z_]\w*/) ?? [];
    if (word !== undefined) return nameWord(word, isField, stream.match(/^\s*\(/, false) !== null);
    if (stream.match(/^(?:&&|\|\||[=!<>]=|[-+*/%!<>?:])/)) return 'operator';
    if (stream.match(/^[.,()[\]{}]/)) return 'punctuation';
    stream.next();
    return 'invalid';
  },
};

function nameWord(word: string, isField: boolean, isCalled: boolean): string {
  if (word === 'in' || (WORDS.has(word) && isCalled)) return 'keyword';
  if (isCalled) return 'variableName.function';
  if (isField) return 'propertyName';
  if (word === 'true' || word === 'false') return 'bool';
  if (word === 'null') return 'null';
  return word === 'claims' ? 'variableName.special' : 'variableName';
}

/** To the quotes that end it, or to the line's end. */
function readText(stream: StringStream, box: CelBox): string {
  const { quotes, isRaw } = box.current;
  while (!stream.eol()) {
    if (stream.match(quotes)) {
      box.current = OUTSIDE;
      return 'string';
    }
    if (stream.next() === '\\' && !isRaw) stream.next();
  }
  if (quotes.length === 1) box.current = OUTSIDE;
  return 'string';
}

const JSON_TEXT = /^"(?:[^"\\]|\\.)*"?/;

const JSON_WORDS: StreamParser<unknown> = {
  name: 'json',
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(JSON_TEXT))
      return stream.match(/^\s*:/, false) === null ? 'string' : 'propertyName';
    if (stream.match(/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/)) return 'number';
    if (stream.match(/^(?:true|false)\b/)) return 'bool';
    if (stream.match(/^null\b/)) return 'null';
    if (stream.match(/^[{}[\],:]/)) return 'punctuation';
    stream.next();
    return 'invalid';
  },
};

function readMatch(stream: StringStream, pattern: RegExp): RegExpMatchArray | undefined {
  const match = stream.match(pattern);
  return typeof match === 'object' && match !== null ? match : undefined;
}

export const LANGUAGES = {
  cel: StreamLanguage.define(CEL),
  json: StreamLanguage.define(JSON_WORDS),
} as const satisfies Record<CodeLanguage, unknown>;
