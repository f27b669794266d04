/**
 * Owns what the author is told when an expression does not parse. The library's parser knows only where its grammar
 * last made sense (`found & but expecting end of input`); a look at the tokens finds the usual slips and names them.
 */

interface Token {
  readonly kind: 'value' | 'operator' | 'open' | 'close' | 'separator';
  readonly text: string;
  readonly offset: number;
}

export interface SyntaxFault {
  /** In UTF-16 code units. */
  readonly offset: number;
  /** What was expected and what to do. */
  readonly message: string;
}

/** Words that people write where CEL has a sign. */
const WORD_OPERATORS: ReadonlyMap<string, string> = new Map([
  ['and', '&&'],
  ['or', '||'],
  ['not', '!'],
  ['is', '=='],
  ['eq', '=='],
]);

/** https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax */
const RESERVED_WORDS = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const CLOSING: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);

const BLANK = /(?:[\t\n\f\r ]|\/\/[^\r\n]*)*/y;
const STRING =
  /(?:[rR][bB]?|[bB][rR]?)?(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*')/y;
const STRING_START = /(?:[rR][bB]?|[bB][rR]?)?["']/y;
const NUMBER = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[uU]?/y;
const WORD = /[A-Za-z_]\w*/y;
const OPERATOR = /&&|\|\||==|!=|<=|>=|[<>+\-*/%!?:.]/y;

/** Explains why `source` did not parse, given what the parser threw. */
export function describeSyntaxError(source: string, thrown: unknown): SyntaxFault {
  // The parser is recursive: this is how it meets some hundreds of nested brackets, whatever else they hold.
  if (thrown instanceof RangeError && /call stack/i.test(thrown.message)) {
    return { offset: 0, message: 'the rule is nested too deep: make it flatter' };
  }
  const fault = findFault(source);
  if (fault !== undefined) return fault;
  const offset = readOffset(thrown);
  if (offset === undefined) {
    return {
      offset: 0,
      message: 'a string holds an escape that stands for no character: write the character itself',
    };
  }
  const found =
    offset < source.length
      ? `'${String.fromCodePoint(source.codePointAt(offset) ?? 0x20)}'`
      : 'the end of the rule';
  return {
    offset,
    message: `did not expect ${found} here: expected a rule such as claims.email_verified && claims.level >= 3`,
  };
}

function readOffset(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('location' in thrown)) return undefined;
  const { location } = thrown;
  if (typeof location !== 'object' || location === null || !('start' in location)) return undefined;
  const { start } = location;
  if (typeof start !== 'object' || start === null || !('offset' in start)) return undefined;
  return typeof start.offset === 'number' ? start.offset : undefined;
}

/** The first slip in the order of the source. */
function findFault(source: string): SyntaxFault | undefined {
  const open: Token[] = [];
  let previous: Token | undefined;
  for (const token of readTokens(source)) {
    if ('message' in token) return token;
    const fault = judgeToken(token, previous, open.at(-1));
    if (fault !== undefined) return { offset: token.offset, message: fault };
    if (token.kind === 'open') open.push(token);
    if (token.kind === 'close') open.pop();
    previous = token;
  }
  if (previous?.kind === 'operator') {
    return {
      offset: source.length,
      message: `expected a value after ${previous.text}, found the end of the rule`,
    };
  }
  const unclosed = open.at(-1);
  if (unclosed === undefined) return undefined;
  const closing = CLOSING.get(unclosed.text);
  return {
    offset: unclosed.offset,
    message: `expected ${closing} to close this ${unclosed.text}, found the end of the rule`,
  };
}

function judgeToken(
  token: Token,
  previous: Token | undefined,
  open: Token | undefined,
): string | undefined {
  const { kind, text } = token;
  const afterValue = previous?.kind === 'value' || previous?.kind === 'close';
  if (kind === 'close') {
    if (open === undefined) return `did not expect ${text}: nothing is open here`;
    if (CLOSING.get(open.text) !== text)
      return `expected ${CLOSING.get(open.text)} to close ${open.text}, found ${text}`;
    return previous?.kind === 'operator'
      ? `expected a value after ${previous.text}, found ${text}`
      : undefined;
  }
  if (kind === 'value') {
    if (RESERVED_WORDS.has(text) && previous?.text !== '.')
      return `${text} is a word that CEL reserves: choose another name`;
    const sign = WORD_OPERATORS.get(text);
    if (sign !== undefined && (afterValue || text === 'not'))
      return `expected an operator, found ${text}: write ${sign}`;
    return afterValue ? `expected an operator such as && before ${text}` : undefined;
  }
  if (kind === 'operator' && text !== '!' && text !== '-' && text !== '.' && !afterValue) {
    return `expected a value before ${text}${previous === undefined ? '' : `, found ${previous.text}`}`;
  }
  if (kind === 'operator' && text === '!' && afterValue)
    return 'expected an operator such as && before !';
  return undefined;
}

function* readTokens(source: string): Generator<Token | SyntaxFault> {
  let offset = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = offset;
    const text = pattern.exec(source)?.[0] ?? '';
    offset += text.length;
    return text;
  };
  for (;;) {
    take(BLANK);
    if (offset >= source.length) return;
    const start = offset;
    const value = take(STRING);
    if (value !== '') {
      yield { kind: 'value', text: 'a string', offset: start };
      continue;
    }
    if (take(STRING_START) !== '') {
      yield {
        offset: start,
        message: `expected ${source[offset - 1]} to end this string, found the end of the line`,
      };
      return;
    }
    const operand = take(NUMBER) || take(WORD);
    if (operand !== '') {
      yield { kind: operand === 'in' ? 'operator' : 'value', text: operand, offset: start };
      continue;
    }
    const operator = take(OPERATOR);
    if (operator !== '') {
      yield { kind: 'operator', text: operator, offset: start };
      continue;
    }
    yield readSign(source, start);
    offset += 1;
  }
}

function readSign(source: string, offset: number): Token | SyntaxFault {
  const text = String.fromCodePoint(source.codePointAt(offset) ?? 0x20);
  if (CLOSING.has(text)) return { kind: 'open', text, offset };
  if (text === ')' || text === ']' || text === '}') return { kind: 'close', text, offset };
  if (text === ',') return { kind: 'separator', text, offset };
  if (text === '=') return { offset, message: 'expected ==, found =: write == to compare' };
  if (text === '&' || text === '|')
    return { offset, message: `expected ${text}${text}, found ${text}` };
  if (text === '`')
    return { offset, message: 'did not expect `: write ["name"] for a name that is not a word' };
  return { offset, message: `did not expect ${text}: CEL has no such sign outside of strings` };
}
