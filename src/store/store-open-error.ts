/** Owns the refusal to start on a database that cannot be used: which one, why, and what to do about it. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
  /** The file, as an absolute path, or the database's address without credentials. */
  readonly location: string;

  constructor(location: string, cause: string, advice: string, options?: ErrorOptions) {
    super(`Cannot open the database ${location}: ${cause}. ${advice}`, options);
    this.location = location;
  }
}
