/** What a metric is, before it is written for Prometheus. */
import type { StatusDocument } from './statusModel.js';

/** One family of metrics: its samples are made from a status document. */
export interface MetricFamily {
  /** Without the prefix `tandem_`; the unit is at the end. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  samples(status: StatusDocument): Iterable<MetricSample>;
}

/** One value with the values of the labels, in their order; without a value it is left out. */
export type MetricSample = readonly [value: number | null | undefined, ...labels: string[]];
