/** Owns finding the commands of a language, and what they print, in a document. */

/** The first block of that language in the section. */
export function readBlock(document: string, heading: string, language: 'bash' | 'text'): string {
  const section = document.split(/^(?=## )/m).find((text) => text.startsWith(`## ${heading}\n`));
  const pattern = new RegExp(`^\`\`\`${language}\\n(.+?)^\`\`\`$`, 'ms');
  const [, block] = pattern.exec(section ?? '') ?? [];
  if (block === undefined) throw new Error(`The section "${heading}" has no ${language} block.`);
  return block;
}
