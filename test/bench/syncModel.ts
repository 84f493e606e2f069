/** What the benchmark of the relay measures, and its table. Pure. */

/** One part of a run. */
interface Transfer {
  readonly entries: number;
  readonly seconds: number;
  /** Entries that did not reach the other kernel. */
  readonly missing: number;
}

/** All of a run. */
export interface SyncResult {
  /** From the stream of the kernel into the table of the first director. */
  readonly heard: Omit<Transfer, 'missing'>;
  /** The whole table, to a director that joins. */
  readonly bulk: Transfer;
  /** New entries, told at once. */
  readonly relay: Transfer & { readonly lagP99Ms: number };
  /** Reading the table of the joined director from /proc. */
  readonly procRead: Omit<Transfer, 'missing'>;
  readonly tableBytesPerEntry: number;
  readonly droppedBeforeKernel: number;
  /** Processor time of the two agents while they worked, in seconds. */
  readonly cpuSeconds: { readonly sender: number; readonly receiver: number };
}

/** Stands before the result in the output of the inner program. */
export const resultMark = 'sync-result ';

/** Finds the result. Throws `RangeError` when there is none. */
export function readSyncResult(output: string): SyncResult {
  const line = output.split('\n').find((text) => text.startsWith(resultMark));
  if (line === undefined) throw new RangeError(`no result in: ${output}`);
  return JSON.parse(line.slice(resultMark.length)) as SyncResult;
}

/** The table for a person. */
export function syncTable(result: SyncResult): readonly string[] {
  const { heard, bulk, relay, procRead } = result;
  const ratio = bulk.seconds / procRead.seconds;
  const rate = ({ entries, seconds }: Omit<Transfer, 'missing'>): string =>
    `${entries} entries in ${seconds.toFixed(2)} s: ${Math.round(entries / seconds)} a second`;
  return [
    `heard from the kernel   ${rate(heard)}`,
    `whole table to joiner   ${rate(bulk)}, ${bulk.missing} missing`,
    `new entries             ${rate(relay)}, ${relay.missing} missing`,
    `lag                     p99 ${relay.lagP99Ms} ms`,
    `reading /proc beside it ${rate(procRead)}`,
    `ratio                   ${ratio.toFixed(2)} of the time that reading it from /proc takes`,
    `table                   ${result.tableBytesPerEntry.toFixed(1)} bytes an entry; ` +
      `${result.droppedBeforeKernel} messages lost by the kernel`,
    `processor time          sender ${result.cpuSeconds.sender.toFixed(1)} s, ` +
      `receiver ${result.cpuSeconds.receiver.toFixed(1)} s`,
  ];
}
