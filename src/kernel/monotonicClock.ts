/** The clock that every deadline of Tandem is measured on. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
