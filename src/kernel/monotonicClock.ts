/** The clock that every deadline of Tandem is measured on. */

/**
 * CLOCK_MONOTONIC in whole microseconds. The same clock in every thread and process of the
 * machine; it never steps, and it stands still while the machine is suspended.
 */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
