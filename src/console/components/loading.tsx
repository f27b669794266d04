/** Owns what is shown while something is on its way. */

/** @param what such as `the configurations` */
export function Loading({ what }: { readonly what: string }) {
  return (
    <output className="loading">
      <span className="spinner" aria-hidden="true" />
      Loading {what}…
    </output>
  );
}
