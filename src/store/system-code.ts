/** The operating system's name for what went wrong, such as `ENOENT`, or `undefined` when it was something else. */
export function readSystemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
