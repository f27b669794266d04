/** Owns what a long command tells of how far it is. */
export interface Progress {
  /** In the form of "copying". */
  readonly what: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

export type NoteProgress = (progress: Progress) => void;
