/** Owns the one error that a claims expression can fail to compile with. What is an error is decided elsewhere. */

/** A claims expression that cannot be stored. The message says what was expected and what to do. */
export class ClaimsExpressionError extends Error {
  override readonly name = 'ClaimsExpressionError';
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units, as editors count. */
  readonly column: number;

  constructor(source: string, offset: number, message: string) {
    super(message);
    const { line, column } = locateOffset(source, offset);
    this.line = line;
    this.column = column;
  }
}

/** The 1-based line and column of an offset. Lines end as CEL's own do: LF, CR or CR LF. */
export function locateOffset(
  source: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const lines = source.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
