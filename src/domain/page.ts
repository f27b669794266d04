/** Owns what a page is. How a cursor travels in a page token is the business of `rpc/pagination.ts`. */

/** Where a page starts: behind the row with these sort keys, the last of which is its id. */
export type Cursor = readonly [...keys: (string | number)[], id: string];

export interface PageRequest {
  /** 1 to 100 rows. */
  readonly size: number;
  /** Absent on the first page. */
  readonly after?: Cursor | undefined;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Present when there are more rows. */
  readonly next?: Cursor | undefined;
}
