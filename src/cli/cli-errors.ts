/** Owns the errors that commands throw besides those of the client. */

/** The command line cannot be meant as it is. The message says what to do, and holds no secret. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command that ends without success and has said, or needs to say, no more than this message. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
