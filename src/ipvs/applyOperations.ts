/** Sends changes to the kernel's IPVS table, which another program may have changed meanwhile. */
import type { TandemError } from '../errors.js';
import type { IpvsOperation } from '../wire/ipvsModel.js';
import { followUp } from './diff.js';
import type { ReconcilerTable } from './reconcilerModel.js';

/**
 * Sends changes, then once more those that met a table that had changed meanwhile. Adds what was
 * sent to `sent`, and to `errors` what the kernel refused for good.
 */
export async function applyOperations(
  table: ReconcilerTable,
  operations: readonly IpvsOperation[],
  sent: IpvsOperation[],
  errors: TandemError[],
): Promise<void> {
  let batch = operations;
  for (let round = 0; round < 2 && batch.length > 0; round += 1) {
    const results = await table.apply(batch);
    sent.push(...batch);
    const next: IpvsOperation[] = [];
    for (const [index, operation] of batch.entries()) {
      const error = results[index];
      if (error === undefined) continue;
      const after = followUp(operation, error.errnoName);
      if (after === 'already-done') continue;
      if (after !== undefined && round === 0) next.push(after);
      else errors.push(error);
    }
    batch = next;
  }
}
