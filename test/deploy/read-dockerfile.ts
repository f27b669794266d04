// Owns the reading of our Dockerfile: as much of its grammar as we use.
import { readFileSync } from 'node:fs';

export interface Instruction {
  /** Such as `RUN`. */
  readonly name: string;
  readonly text: string;
}

/** The instructions of each stage, each stage beginning with its `FROM`. */
export function readDockerfile(): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = [];
  const lines = readFileSync('Dockerfile', 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
  for (const line of lines) {
    const [, name = '', text = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, text });
  }
  return stages;
}

/** The values of `ENV`. */
export function readEnvironment(stage: readonly Instruction[]): Readonly<Record<string, string>> {
  const text = findTexts(stage, 'ENV').join(' ');
  return Object.fromEntries(
    text.split(/\s+/).map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name, value.join('=')];
    }),
  );
}

export function findTexts(stage: readonly Instruction[], name: string): readonly string[] {
  return stage.filter((instruction) => instruction.name === name).map(({ text }) => text);
}
