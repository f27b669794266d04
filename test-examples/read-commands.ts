/** Owns finding the commands of a language in docs/clients.md. */

/** The first `bash` block of the section. */
export function readCommands(document: string, heading: string): string {
  const section = document.split(/^(?=## )/m).find((text) => text.startsWith(`## ${heading}\n`));
  const [, commands] = /^```bash\n(.+?)^```$/ms.exec(section ?? '') ?? [];
  if (commands === undefined) throw new Error(`The section "${heading}" shows no commands.`);
  return commands;
}
