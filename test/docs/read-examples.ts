// Owns finding the examples of a document: its fenced blocks of shell and TypeScript, each with the output shown for it.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface Example {
  readonly language: 'sh' | 'ts';
  readonly code: string;
  /** Of its opening fence, from 1. */
  readonly line: number;
  /** The first `json` or `text` block before the next example. */
  readonly output: { readonly language: 'json' | 'text'; readonly text: string } | undefined;
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @param path from the project's root */
export function readDocument(path: string): Promise<string> {
  return readFile(`${ROOT}${path}`, 'utf8');
}

export function findExamples(markdown: string): readonly Example[] {
  const examples: Example[] = [];
  for (const { language, code, line } of findBlocks(markdown)) {
    if (language === 'sh' || language === 'ts') {
      examples.push({ language, code, line, output: undefined });
    } else if (language === 'json' || language === 'text') {
      const last = examples.pop();
      if (last === undefined) continue;
      examples.push(
        last.output === undefined ? { ...last, output: { language, text: code } } : last,
      );
    }
  }
  return examples;
}

export interface Block {
  readonly language: string;
  readonly code: string;
  readonly line: number;
}

export function findBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const [fence, language = ''] = /^```(\w*)$/.exec(text) ?? [];
    if (open === undefined) {
      if (fence !== undefined) open = { language, line: index + 1, lines: [] };
    } else if (fence === undefined) {
      open.lines.push(text);
    } else {
      blocks.push({ language: open.language, line: open.line, code: open.lines.join('\n') });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`The block of line ${open.line} does not end.`);
  return blocks;
}
