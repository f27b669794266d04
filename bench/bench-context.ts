/** Owns what every measurement is given and gives. */
import type { Machine } from './machine.ts';
import type { Section } from './report.ts';

export interface BenchContext {
  readonly machine: Machine;
  /** Short rounds and small tables: to see that it works, not to cite. */
  readonly quick: boolean;
  /** Where databases go. */
  readonly folder: string;
  /** Tells whoever waits what goes on. */
  readonly note: (text: string) => void;
}

export interface Measurement {
  readonly name: string;
  readonly summary: string;
  readonly run: (context: BenchContext) => Promise<Section>;
}
